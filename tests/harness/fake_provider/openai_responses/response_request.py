"""A request for a response, checked as strictly as OpenAI checks it."""

from collections.abc import Mapping, Sequence
from typing import cast

import msgspec
from tests.harness.fake_provider import words
from tests.harness.fake_provider.content import Question, question
from tests.harness.fake_provider.openai import errors, limits, parameters, schemas
from tests.harness.fake_provider.openai.words import OpenAIWords
from tests.harness.fake_provider.openai_responses import computer, items
from tests.harness.fake_provider.seals import Seal
from tests.harness.fake_provider.shape_checks import Rule, Shapes

Json = dict[str, object]
_REQUEST = "ResponseCreateParamsNonStreaming"
_ENCRYPTED, _LOGPROBS = "reasoning.encrypted_content", "message.output_text.logprobs"
_NAME = limits.text(64, limits.NAME)
_RULES: dict[str, Rule] = (
    parameters.RULES
    | items.RULES
    | {
        "max_output_tokens": limits.integer(16),
        "max_tool_calls": limits.integer(1),
        "text.format.name": _NAME,
        "tools[].name": _NAME,
    }
)
_SHAPES = Shapes("openai_responses", OpenAIWords(in_order=True), _RULES, items.BEYOND_TYPES)
_PARAMETERS = frozenset(_SHAPES.fields(_REQUEST))


class Kept(msgspec.Struct, frozen=True):
    """A response that was stored, and all items of the conversation up to its end."""

    response: Json
    said: list[Json]


class ResponseRequest(msgspec.Struct, frozen=True):
    """What of a valid request decides its answer; `said` are all items, earlier ones included."""

    fields: Json
    said: list[Json]
    asked: Question
    input_tokens: int

    @property
    def model(self) -> str:
        return cast("str", self.fields["model"])

    @property
    def stream(self) -> bool:
        return bool(self.fields.get("stream"))

    @property
    def stored(self) -> bool:
        return self.fields.get("store") is not False

    @property
    def max_tokens(self) -> int | None:
        return cast("int | None", self.fields.get("max_output_tokens"))

    @property
    def encrypts(self) -> bool:
        return _ENCRYPTED in self._included

    @property
    def top_logprobs(self) -> int | None:
        """How many alternatives to a token are wanted, None where not even its own."""
        wanted = cast("int | None", self.fields.get("top_logprobs"))
        return (wanted or 0) if wanted is not None or _LOGPROBS in self._included else None

    @property
    def summarizes(self) -> bool:
        reasoning = cast("Json", self.fields.get("reasoning") or {})
        return bool(reasoning.get("summary") or reasoning.get("generate_summary"))

    @property
    def schema(self) -> Json | None:
        form = cast("Json", cast("Json", self.fields.get("text") or {}).get("format") or {})
        return cast("Json | None", form.get("schema"))

    @property
    def forced_tool(self) -> Json | None:
        return parameters.forced_tool(self.fields)

    @property
    def offered(self) -> list[Json]:
        return parameters.offered(self.fields)

    @property
    def has_computer(self) -> bool:
        """Whether a computer tool may be called."""
        tools = cast("list[Json]", self.fields.get("tools") or [])
        return any(tool["type"] in computer.KINDS for tool in tools)

    @property
    def _included(self) -> list[str]:
        return cast("list[str]", self.fields.get("include") or [])


def parse(
    body: bytes, models: Sequence[str], seal: Seal, kept: Mapping[str, Kept]
) -> ResponseRequest:
    """Return the request, or raise the Refusal that OpenAI answers it with."""
    fields = parameters.decode(body)
    _check(fields)
    if fields["model"] not in models:
        raise errors.no_such_model(cast("str", fields["model"]))
    said = [*_before(fields, kept), *items.items(fields["input"])]
    known = {item.get("id") for each in kept.values() for item in each.said}
    items.check_order(said, seal, known.__contains__)
    computer.check(fields, said)
    return ResponseRequest(fields, said, question(items.turns(said)), _count(fields, said))


def _check(fields: Json) -> None:
    for name in fields:
        if name not in _PARAMETERS:
            raise errors.unknown(name)
    for name in ("model", "input"):
        if not fields.get(name):
            raise errors.missing(name)
    items.check_parts(fields["input"])
    _SHAPES.check(_REQUEST, fields)
    _check_together(fields)


def _check_together(fields: Json) -> None:
    if fields.get("tool_choice", "auto") not in ("auto", "none") and not fields.get("tools"):
        raise errors.OpenAIRefusal(
            "Tool choice must be specified with 'tools' parameter.", param="tool_choice"
        )
    parameters.check_named_tool(fields)
    for index, tool in enumerate(cast("list[Json]", fields.get("tools") or [])):
        if tool["type"] == "function":
            schemas.check_function(tool, f"tools[{index}]")
    form = cast("Json", cast("Json", fields.get("text") or {}).get("format") or {})
    if form.get("type") == "json_schema":
        schemas.check_format(form, "text.format.schema")


def _before(fields: Json, kept: Mapping[str, Kept]) -> list[Json]:
    name = cast("str | None", fields.get("previous_response_id"))
    if name is None:
        return []
    if name not in kept:
        raise errors.OpenAIRefusal(
            f"Previous response with id '{name}' not found.",
            param="previous_response_id",
            code="previous_response_not_found",
        )
    return kept[name].said


def _count(fields: Json, said: Sequence[Json]) -> int:
    instructions = words.count(cast("str", fields.get("instructions") or ""))
    return 3 + instructions + sum(4 + words.count(items.text_of(item)) for item in said)

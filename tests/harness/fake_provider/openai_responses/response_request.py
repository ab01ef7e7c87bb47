"""A request for a response, checked as strictly as OpenAI checks it."""

from collections.abc import Mapping, Sequence
from typing import cast

import msgspec
from tests.harness.fake_provider import words
from tests.harness.fake_provider.content import Question, question
from tests.harness.fake_provider.openai import errors, json_checks, parameters, schemas
from tests.harness.fake_provider.openai_responses import items
from tests.harness.fake_provider.seals import Seal

Json = dict[str, object]
_TYPE: dict[str, json_checks.Check] = {"type": json_checks.anything}
_SCHEMA = json_checks.table(json_checks.anything)
_TEXT = json_checks.nullable(json_checks.string())
_NAME = json_checks.string(longest=64, pattern="[a-zA-Z0-9_-]+")
_VENDORS = (
    "web_search", "web_search_preview", "file_search", "code_interpreter", "computer_use_preview",
    "image_generation", "mcp", "local_shell", "shell", "apply_patch", "custom",
)  # fmt: skip
_TOOL = json_checks.tagged(
    {
        "function": json_checks.record(
            _TYPE | {"name": _NAME},
            {
                "parameters": json_checks.nullable(_SCHEMA),
                "strict": json_checks.nullable(json_checks.boolean),
                "description": _TEXT,
            },
        )
    }
    | dict.fromkeys(_VENDORS, _SCHEMA)
)
_TOOL_CHOICE = json_checks.either(
    "one of a string or object",
    {
        str: json_checks.choice("none", "auto", "required"),
        dict: json_checks.tagged(
            {
                "function": json_checks.record(_TYPE | {"name": _NAME}),
                "custom": json_checks.record(_TYPE | {"name": _NAME}),
                "allowed_tools": _SCHEMA,
                "mcp": _SCHEMA,
            }
        ),
    },
)
_FORMAT = json_checks.tagged(
    {
        "text": json_checks.record(_TYPE),
        "json_object": json_checks.record(_TYPE),
        "json_schema": json_checks.record(
            _TYPE | {"name": _NAME, "schema": _SCHEMA},
            {
                "description": json_checks.string(),
                "strict": json_checks.nullable(json_checks.boolean),
            },
        ),
    }
)
_INCLUDES = (
    "file_search_call.results", "web_search_call.results", "web_search_call.action.sources",
    "message.input_image.image_url", "computer_call_output.output.image_url",
    "code_interpreter_call.outputs", "reasoning.encrypted_content", "message.output_text.logprobs",
)  # fmt: skip
_ENCRYPTED, _LOGPROBS = _INCLUDES[-2:]
_SUMMARY = json_checks.nullable(json_checks.choice("auto", "concise", "detailed"))
_PARAMETERS: dict[str, json_checks.Check] = parameters.SHARED | {
    "background": json_checks.nullable(json_checks.boolean),
    "conversation": json_checks.anything,
    "include": json_checks.nullable(json_checks.array(json_checks.choice(*_INCLUDES))),
    "input": items.check,
    "instructions": _TEXT,
    "max_output_tokens": json_checks.nullable(json_checks.integer(16)),
    "max_tool_calls": json_checks.nullable(json_checks.integer(1)),
    "parallel_tool_calls": json_checks.nullable(json_checks.boolean),
    "previous_response_id": _TEXT,
    "prompt": json_checks.nullable(_SCHEMA),
    "reasoning": json_checks.nullable(
        json_checks.record(
            {},
            {
                "effort": json_checks.nullable(json_checks.choice(*parameters.EFFORTS)),
                "summary": _SUMMARY,
                "generate_summary": _SUMMARY,
            },
        )
    ),
    "stream_options": json_checks.nullable(
        json_checks.record({}, {"include_obfuscation": json_checks.boolean})
    ),
    "text": json_checks.nullable(
        json_checks.record({}, {"format": _FORMAT, "verbosity": parameters.VERBOSITY})
    ),
    "tool_choice": _TOOL_CHOICE,
    "tools": json_checks.array(_TOOL),
    "truncation": json_checks.nullable(json_checks.choice("auto", "disabled")),
}


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
    return ResponseRequest(fields, said, question(items.turns(said)), _count(fields, said))


def _check(fields: Json) -> None:
    for name in fields:
        if name not in _PARAMETERS:
            raise errors.unknown(name)
    for name in ("model", "input"):
        if not fields.get(name):
            raise errors.missing(name)
    for name, value in fields.items():
        _PARAMETERS[name](value, name)
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

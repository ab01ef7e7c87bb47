"""A request for a message, checked as strictly as Anthropic checks it."""

from collections.abc import Iterator, Sequence
from typing import cast

import msgspec
from tests.harness.fake_provider import words
from tests.harness.fake_provider.anthropic_messages import computer, errors, limits, messages
from tests.harness.fake_provider.anthropic_messages.blocks import RULES as BLOCK_RULES
from tests.harness.fake_provider.anthropic_messages.threads import Threads
from tests.harness.fake_provider.anthropic_messages.tools import RULES, check_tools
from tests.harness.fake_provider.anthropic_messages.words import AnthropicWords
from tests.harness.fake_provider.content import Question, question
from tests.harness.fake_provider.seals import Seal
from tests.harness.fake_provider.shape_checks import Json, Rule, Shape, Shapes

MAX_BODY = 32 * 1024 * 1024
_MAX_CACHE_CONTROLS = 4
_REQUEST, _COUNTED = "MessageCreateParamsNonStreaming", "MessageCountTokensParams"
_RULES: dict[str, Rule] = {
    **RULES,
    **BLOCK_RULES,
    "messages": messages.check,
    "max_tokens": limits.number(0),
    "metadata.user_id": limits.text(longest=256),
    "model": limits.text(shortest=1, longest=256),
    "stop_sequences[]": limits.text(shortest=1),
    "temperature": limits.number(0, 1),
    "thinking.budget_tokens": limits.number(1024),
    "top_k": limits.number(0),
    "top_p": limits.number(0, 1),
}
_SAMPLING: dict[str, Shape] = {"temperature": "number", "top_k": "integer", "top_p": "number"}
_BEYOND_TYPES: dict[str, Json] = {_REQUEST: {"fields": _SAMPLING}}
"""What the vendor takes for some models, though its SDK has it no more."""
_SHAPES = Shapes("anthropic_messages", AnthropicWords(), _RULES, _BEYOND_TYPES)
_BETA_SHAPES = Shapes("anthropic_beta_messages", AnthropicWords(), _RULES, _BEYOND_TYPES)


class MessageRequest(msgspec.Struct, frozen=True):
    """What of a valid request decides its answer; `thinks` where it asked for thinking.

    `fields` are those of the whole conversation. `schema` is the one that the text must fit.
    """

    fields: Json
    model: str
    asked: Question
    input_tokens: int
    stream: bool = False
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    thinks: bool = False
    shows_thinking: bool = True
    schema: Json | None = None
    forced_tool: Json | None = None
    offered: Sequence[Json] = ()

    @property
    def has_toolset(self) -> bool:
        """Whether the members of the computer toolset may be called."""
        return any(tool.get("type") == computer.TOOLSET for tool in self.offered)


def parse(body: bytes, models: Sequence[str], seal: Seal, threads: Threads) -> MessageRequest:
    """Return the request, or raise the Refusal that Anthropic answers it with."""
    fields = threads.whole(_decoded(body))
    (_BETA_SHAPES if threads.beta else _SHAPES).check(_REQUEST, fields)
    _check_together(fields)
    _check_sealed(fields, models, seal)
    computer.check(fields, threads.betas)
    return _request(fields)


def parse_counted(body: bytes, models: Sequence[str], seal: Seal) -> MessageRequest:
    """The same for a request that wants nothing but the count of its tokens."""
    fields = _decoded(body)
    _SHAPES.check(_COUNTED, fields)
    check_tools(fields)
    _check_sealed(fields, models, seal)
    return _request(fields)


def _decoded(body: bytes) -> Json:
    if len(body) > MAX_BODY:
        raise errors.too_large()
    try:
        value: object = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise errors.AnthropicRefusal(
            "The request body is not valid JSON: expected value at line 1 column 1"
        ) from error
    if not isinstance(value, dict):
        raise errors.wrong_type("body", "an object")
    return cast("Json", value)


def _check_sealed(fields: Json, models: Sequence[str], seal: Seal) -> None:
    found = sum(1 for _ in _cache_controls(fields))
    if found > _MAX_CACHE_CONTROLS:
        raise errors.AnthropicRefusal(
            f"A maximum of 4 blocks with cache_control may be provided. Found {found}."
        )
    if fields["model"] not in models:
        raise errors.no_such_model(cast("str", fields["model"]))
    messages.check_seals(cast("list[Json]", fields["messages"]), seal)


def _cache_controls(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        for name, field in cast("Json", value).items():
            if name == "cache_control" and field is not None:
                yield field
            elif name not in {"input", "input_schema"}:
                yield from _cache_controls(field)
    elif isinstance(value, list):
        for element in cast("list[object]", value):
            yield from _cache_controls(element)


def _check_together(fields: Json) -> None:
    check_tools(fields)
    for sequence in cast("list[str]", fields.get("stop_sequences") or []):
        if not sequence.strip():
            raise errors.at("stop_sequences", "each stop sequence must contain non-whitespace")
    thinking = cast("Json", fields.get("thinking") or {"type": "disabled"})
    if thinking["type"] != "disabled":
        _check_thinking(fields, thinking)


def _check_thinking(fields: Json, thinking: Json) -> None:
    if cast("int", thinking.get("budget_tokens", 0)) >= cast("int", fields["max_tokens"]):
        raise errors.AnthropicRefusal("`max_tokens` must be greater than `thinking.budget_tokens`.")
    if fields.get("temperature", 1) != 1:
        raise errors.AnthropicRefusal(
            "`temperature` may only be set to 1 when thinking is enabled."
        )
    if "top_k" in fields:
        raise errors.AnthropicRefusal("`top_k` must be unset when thinking is enabled.")
    if not 0.95 <= cast("float", fields.get("top_p", 1)) <= 1:
        raise errors.AnthropicRefusal(
            "`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled."
        )
    if cast("Json", fields.get("tool_choice") or {}).get("type") in {"any", "tool"}:
        raise errors.AnthropicRefusal(
            "Thinking may not be enabled when tool_choice forces tool use."
        )
    said = cast("list[Json]", fields["messages"])
    if said[-1]["role"] == "assistant":
        raise errors.AnthropicRefusal(
            "When `thinking` is enabled, the final message must not be an `assistant` prefill."
        )
    messages.check_thinking_first(said)


def _request(fields: Json) -> MessageRequest:
    said = cast("list[Json]", fields["messages"])
    thinking = cast("Json", fields.get("thinking") or {"type": "disabled"})
    output = cast("Json", fields.get("output_config") or {})
    form = cast("Json", output.get("format") or {})
    return MessageRequest(
        fields=fields,
        model=cast("str", fields["model"]),
        asked=question([messages.turn_of(message) for message in said]),
        input_tokens=_count(fields),
        stream=bool(fields.get("stream")),
        max_tokens=cast("int | None", fields.get("max_tokens")),
        stop=tuple(cast("list[str]", fields.get("stop_sequences") or [])),
        thinks=thinking["type"] != "disabled",
        shows_thinking=thinking.get("display") != "omitted",
        schema=cast("Json | None", form.get("schema")),
        forced_tool=_forced_tool(fields),
        offered=_offered(fields),
    )


def _offered(fields: Json) -> list[Json]:
    chosen = cast("Json", fields.get("tool_choice") or {})
    return [] if chosen.get("type") == "none" else cast("list[Json]", fields.get("tools") or [])


def _forced_tool(fields: Json) -> Json | None:
    chosen = cast("Json", fields.get("tool_choice") or {})
    tools = cast("list[Json]", fields.get("tools") or [])
    if chosen.get("type") == "any":
        return tools[0] if "name" in tools[0] else None
    named = (tool for tool in tools if "name" in tool)
    return next((tool for tool in named if tool["name"] == chosen.get("name")), None)


def _count(fields: Json) -> int:
    """About four tokens of framing for each message and three for the answer, and the words."""
    said = cast("list[Json]", fields["messages"])
    system = fields.get("system") or ""
    blocks = messages.blocks({"content": system})
    instructions = sum(words.count(cast("str", block["text"])) for block in blocks)
    tools = words.count(msgspec.json.encode(fields["tools"]).decode()) if "tools" in fields else 0
    spoken = sum(4 + words.count(messages.text_of(message)) for message in said)
    return 3 + spoken + instructions + tools

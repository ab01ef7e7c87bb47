"""Parses the requests of callers: for an answer, and for a count of its tokens.

What is not known is kept among the vendor's fields; null counts as absent.
"""

from typing import Annotated, Literal, cast

import msgspec

from cartrita.dialects.anthropic_messages import DIALECT
from cartrita.dialects.anthropic_messages import request_types as wire
from cartrita.dialects.anthropic_messages.block_parsing import parse_text
from cartrita.dialects.anthropic_messages.json_checks import convert
from cartrita.dialects.anthropic_messages.message_parsing import RawMessage, parse_messages
from cartrita.dialects.anthropic_messages.tool_parsing import Choice, parse_choice, parse_tools
from cartrita.domain.errors import InvalidInput
from cartrita.domain.json import JsonObject, JsonValue
from cartrita.domain.messages import Text
from cartrita.domain.places import Places
from cartrita.domain.requests import (
    ModelRequest,
    ReasoningOptions,
    ResponseFormat,
    Sampling,
    VendorFields,
)
from cartrita.kit.text import storable_json

_Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class Parsed(msgspec.Struct, frozen=True, kw_only=True):
    """A request of a caller, as all dialects give it."""

    request: ModelRequest


class _Thinking(msgspec.Struct, frozen=True):
    type: Literal["enabled", "disabled", "adaptive", "between_tools"]
    budget_tokens: Annotated[int, msgspec.Meta(ge=1024)] | None = None
    display: str | None = None


class _Format(msgspec.Struct, frozen=True):
    type: Literal["json_schema"]
    schema: JsonObject


class _OutputConfig(msgspec.Struct, frozen=True):
    effort: str | None = None
    format: _Format | None = None


class _Metadata(msgspec.Struct, frozen=True):
    user_id: Annotated[str, msgspec.Meta(max_length=256)] | None = None


class _Body(msgspec.Struct, frozen=True):
    """The fields that are read, or only checked, as `stream` is."""

    model: Annotated[str, msgspec.Meta(min_length=1)]
    messages: list[RawMessage]
    max_tokens: Annotated[int, msgspec.Meta(ge=0)] | None = None
    system: JsonValue = None
    stream: bool | None = None
    tools: list[JsonObject] | None = None
    tool_choice: wire.ToolChoice | None = None
    thinking: _Thinking | None = None
    output_config: _OutputConfig | None = None
    temperature: _Share | None = None
    top_p: _Share | None = None
    top_k: Annotated[int, msgspec.Meta(ge=0)] | None = None
    stop_sequences: list[str] | None = None
    metadata: _Metadata | None = None


def parse(body: JsonObject, owner_id: str, *, continued: bool = False) -> Parsed:
    """A request for an answer. Raises InvalidInput, with Anthropic's path as the field.

    `continued` is for messages that follow a stored conversation.
    """
    kept = cast("JsonObject", storable_json(body))
    read = convert(kept, _Body)
    if read.max_tokens is None:
        raise InvalidInput.of("max_tokens", "Field required")
    return Parsed(request=_request(kept, read, owner_id, continued=continued))


def parse_count(body: JsonObject, owner_id: str) -> ModelRequest:
    """A request for a count of input tokens, which has no limit. Raises InvalidInput."""
    kept = cast("JsonObject", storable_json(body))
    return _request(kept, convert(kept, _Body), owner_id, continued=False)


def _request(body: JsonObject, read: _Body, owner_id: str, *, continued: bool) -> ModelRequest:
    places = Places()
    tools = parse_tools(read.tools or [], places)
    choice = parse_choice(read.tool_choice, tools)
    _check_thinking(read, choice)
    vendor = _vendor_fields(body)
    return ModelRequest(
        owner_id=owner_id,
        model=read.model,
        messages=parse_messages(read.messages, places, continued=continued),
        instructions=_instructions(read.system, places),
        tools=tools,
        tool_choice=choice.choice,
        parallel_tool_calls=choice.parallel,
        sampling=_sampling(read),
        response_format=_response_format(read.output_config),
        reasoning=_reasoning(read),
        user=read.metadata.user_id if read.metadata else None,
        origin=DIALECT,
        vendor=VendorFields(DIALECT, vendor) if vendor else None,
        places=places,
    )


def _instructions(system: JsonValue, places: Places) -> tuple[Text, ...]:
    if system is None or system == "":
        return ()
    if isinstance(system, str):
        return (Text(system),)
    if not isinstance(system, list):
        raise InvalidInput.of("system", "Input should be a valid string or a valid list")
    texts = tuple(parse_text(block, f"system.{index}") for index, block in enumerate(system))
    for index, text in enumerate(texts):
        places.add(text, f"system.{index}")
    return texts


def _sampling(read: _Body) -> Sampling:
    stop = tuple(read.stop_sequences or ())
    if any(not sequence.strip() for sequence in stop):
        problem = "each stop sequence must contain non-whitespace"
        raise InvalidInput.of("stop_sequences", problem)
    return Sampling(
        temperature=read.temperature,
        top_p=read.top_p,
        max_tokens=read.max_tokens,
        stop=stop,
        top_k=read.top_k,
    )


def _check_thinking(read: _Body, choice: Choice) -> None:
    thinking = read.thinking
    if thinking is None or thinking.type != "enabled":
        return
    if thinking.budget_tokens is None:
        raise InvalidInput.of("thinking.enabled.budget_tokens", "Field required")
    limit = None if read.tools else read.max_tokens  # with tools, a beta allows more
    if limit is not None and thinking.budget_tokens >= limit:
        raise InvalidInput.of("max_tokens", "must be greater than `thinking.budget_tokens`")
    if choice.choice not in ("auto", "none"):
        problem = "Thinking may not be enabled when tool_choice forces tool use."
        raise InvalidInput.of("tool_choice", problem)
    if read.temperature not in (None, 1):
        problem = "may only be set to 1 when thinking is enabled."
        raise InvalidInput.of("temperature", problem)


def _reasoning(read: _Body) -> ReasoningOptions:
    effort = read.output_config.effort if read.output_config else None
    if read.thinking is None:
        return ReasoningOptions(effort=effort)
    thinking = read.thinking
    return ReasoningOptions(effort, thinking.budget_tokens, thinking.type, thinking.display)


def _response_format(config: _OutputConfig | None) -> ResponseFormat:
    if config is None or config.format is None:
        return ResponseFormat()
    return ResponseFormat("json_schema", schema=config.format.schema)


def _vendor_fields(body: JsonObject) -> JsonObject:
    """The fields that are not read, and what is not read of the output configuration."""
    known = _Body.__struct_fields__
    fields: JsonObject = {
        name: value for name, value in body.items() if name not in known and value is not None
    }
    config = body.get("output_config")
    more = config if isinstance(config, dict) else {}
    rest: JsonObject = {
        name: value for name, value in more.items() if name not in ("effort", "format")
    }
    return {**fields, "output_config": rest} if rest else fields

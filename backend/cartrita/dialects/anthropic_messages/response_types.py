"""The JSON types of answers of the Messages API, as they are read: whole messages and events.

Compatible servers leave fields out, send null, or add types: only what is read is described, and
blocks stay objects. Source: https://platform.claude.com/docs/en/api/messages-streaming
"""

import msgspec

from cartrita.domain.json import JsonObject, JsonValue


class UsageCounts(msgspec.Struct, frozen=True):
    """Token counts, as far as they can be read; `input_tokens` are those that no cache held."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_creation: JsonValue = None
    output_tokens_details: JsonValue = None
    server_tool_use: JsonValue = None
    iterations: JsonValue = None


class StopDetails(msgspec.Struct, frozen=True):
    """Why the model stopped; `explanation` are the words for a refusal."""

    explanation: str | None = None


class MessageBody(msgspec.Struct, frozen=True):
    """A message: whole, or as an event announces it."""

    model: str | None = None
    content: list[JsonObject] | None = None
    stop_reason: str | None = None
    stop_sequence: str | None = None
    stop_details: StopDetails | None = None
    usage: JsonValue = None
    error: JsonValue = None
    type: str | None = None


class BlockDelta(msgspec.Struct, frozen=True):
    """A piece of a block, or of the message's end: which fields it has depends on its type."""

    type: str | None = None
    text: str | None = None
    partial_json: str | None = None
    thinking: str | None = None
    signature: str | None = None
    citation: JsonObject | None = None
    stop_reason: str | None = None
    stop_sequence: str | None = None
    stop_details: StopDetails | None = None


class Event(msgspec.Struct, frozen=True):
    """An event of a stream: which fields it has depends on its type."""

    type: str | None = None
    index: int | None = None
    delta: BlockDelta | None = None
    content_block: JsonObject | None = None
    message: MessageBody | None = None
    usage: JsonValue = None
    error: JsonValue = None

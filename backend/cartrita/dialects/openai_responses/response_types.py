"""The JSON types of responses and stream events, as far as they are read.

They are read tolerantly, because other servers offer this API too: fields may be absent or null.
Items and responses stay JSON in events, because what is not known of them is kept.
"""

import msgspec

from cartrita.domain.json import JsonObject, JsonValue


class IncompleteDetails(msgspec.Struct, frozen=True):
    """Why a response is incomplete."""

    reason: str | None = None


class Response(msgspec.Struct, frozen=True):
    """A whole response, also within the first and last events of a stream."""

    output: list[JsonValue] | None = None
    status: str | None = None
    model: str | None = None
    usage: JsonValue = None
    tool_usage: JsonValue = None
    error: JsonValue = None
    incomplete_details: IncompleteDetails | None = None


class ContentPart(msgspec.Struct, frozen=True):
    """A part of a message or of reasoning: text, refusal, summary."""

    type: str | None = None
    text: str | None = None
    refusal: str | None = None
    annotations: list[JsonObject] | None = None
    logprobs: list[JsonObject] | None = None


class Item(msgspec.Struct, frozen=True):
    """An output item of a type that the domain has too."""

    id: str | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | JsonObject | None = None
    content: list[ContentPart] | None = None
    summary: list[ContentPart] | None = None
    encrypted_content: str | None = None


class Event(msgspec.Struct, frozen=True):
    """One event of a stream, whatever its type; empty where it names none."""

    type: str = ""
    sequence_number: JsonValue = None
    item_id: JsonValue = None
    output_index: int | None = None
    content_index: int | None = None
    summary_index: int | None = None
    delta: JsonValue = None
    text: str | None = None
    refusal: str | None = None
    arguments: str | JsonObject | None = None
    logprobs: list[JsonObject] | None = None
    annotation: JsonValue = None
    part: ContentPart | None = None
    item: JsonValue = None
    response: JsonValue = None
    error: JsonValue = None

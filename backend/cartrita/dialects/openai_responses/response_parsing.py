"""Decodes events, responses and items, and converts usage and finish reasons."""

from typing import Final, TypeVar

import msgspec

from cartrita.dialects.openai_responses import response_types as wire
from cartrita.domain.deltas import FinishReason
from cartrita.domain.json import JsonValue
from cartrita.domain.usage import Usage, reported_tokens
from cartrita.kit import surrogate_json
from cartrita.kit.json_answers import refuse_unreadable

_INCOMPLETE: Final = {
    "max_output_tokens": FinishReason.LENGTH,
    "max_messages": FinishReason.LENGTH,
    "content_filter": FinishReason.CONTENT_FILTER,
}
_decode_event = msgspec.json.Decoder(wire.Event).decode
_decode_response = msgspec.json.Decoder(wire.Response).decode
_T = TypeVar("_T")


def decode_event(data: str | bytes) -> wire.Event:
    """Decode an event. Raises ValueError if it is none."""
    refuse_unreadable(data)
    try:
        return _decode_event(data)
    except (ValueError, RecursionError):
        return surrogate_json.decode(data, wire.Event)


def decode_response(data: str | bytes) -> wire.Response:
    """Decode a whole response. Raises ValueError if it is none."""
    refuse_unreadable(data)
    try:
        return _decode_response(data)
    except (ValueError, RecursionError):
        return surrogate_json.decode(data, wire.Response)


def as_response(value: JsonValue) -> wire.Response:
    """The response within an event. Raises ValueError if it is none."""
    return msgspec.convert(value, wire.Response)


def as_item(value: JsonValue) -> wire.Item:
    """An item of a known type. Raises ValueError if it is none."""
    return msgspec.convert(value, wire.Item)


def finish_reason(response: wire.Response) -> FinishReason:
    """The reason of a response that is complete or incomplete."""
    if response.status != "incomplete":
        return FinishReason.STOP
    return _INCOMPLETE.get(incomplete_reason(response) or "", FinishReason.STOP)


def incomplete_reason(response: wire.Response) -> str | None:
    """The provider's word for why the response is incomplete."""
    return response.incomplete_details.reason if response.incomplete_details else None


def usage(counts: wire.Usage | None) -> Usage:
    """The usage; empty if there is none."""
    if counts is None:
        return Usage()
    of_input, of_output = counts.input_tokens_details, counts.output_tokens_details
    read, written = reported_tokens(counts.input_tokens), reported_tokens(counts.output_tokens)
    cached = reported_tokens(of_input.cached_tokens) if of_input else 0
    stored = reported_tokens(of_input.cache_write_tokens) if of_input else 0
    reasoning = reported_tokens(of_output.reasoning_tokens) if of_output else 0
    return Usage(
        input_tokens=read,
        output_tokens=written,
        cache_read_tokens=min(cached, read),
        cache_write_tokens=min(stored, read - min(cached, read)),
        reasoning_tokens=min(reasoning, written),
    )

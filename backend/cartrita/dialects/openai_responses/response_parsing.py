"""Decodes events, responses and items, and converts usage and finish reasons."""

from typing import Final, TypeVar

import msgspec

from cartrita.dialects.openai_responses import hosted_tools
from cartrita.dialects.openai_responses import response_types as wire
from cartrita.dialects.reported_counts import count_at
from cartrita.domain.deltas import FinishReason
from cartrita.domain.json import JsonValue
from cartrita.domain.usage import Usage
from cartrita.kit import surrogate_json
from cartrita.kit.json_answers import refuse_unreadable

_OF_INPUT: Final = "input_tokens_details"
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


def usage(response: wire.Response) -> Usage:
    """The usage, whose totals are inclusive; empty if there is none."""
    counts = response.usage
    if counts is None:
        return Usage()
    read, written = _count(counts, "input_tokens"), _count(counts, "output_tokens")
    cached = min(_count(counts, _OF_INPUT, "cached_tokens"), read)
    stored = min(_count(counts, _OF_INPUT, "cache_write_tokens"), read - cached)
    longer = _count(counts, _OF_INPUT, "cache_write_tokens_details", "ttl_12h_tokens")
    of_tokens = Usage(
        input_tokens=read,
        output_tokens=written,
        cache_read_tokens=cached,
        cache_write_tokens=stored,
        reasoning_tokens=min(_count(counts, "output_tokens_details", "reasoning_tokens"), written),
        cache_write_1h_tokens=min(longer, stored),
    )
    return of_tokens + hosted_tools.used(response)


def _count(counts: JsonValue, *path: str) -> int:
    return count_at(counts, *path) or 0

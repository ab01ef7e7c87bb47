"""Decodes events, responses and items, and converts usage and finish reasons."""

from typing import Final, TypeVar

import msgspec

from cartrita.dialects.openai_responses import hosted_tools
from cartrita.dialects.openai_responses import response_types as wire
from cartrita.dialects.reported_counts import count_at
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


def usage(response: wire.Response) -> Usage:
    """The usage; empty if there is none."""
    counts = response.usage
    if counts is None:
        return Usage()
    of_input = counts.input_tokens_details or wire.InputDetails()
    of_output = counts.output_tokens_details or wire.OutputDetails()
    longer = count_at(of_input.cache_write_tokens_details, "ttl_12h_tokens") or 0
    read, written = reported_tokens(counts.input_tokens), reported_tokens(counts.output_tokens)
    cached = min(reported_tokens(of_input.cached_tokens), read)
    stored = min(reported_tokens(of_input.cache_write_tokens), read - cached)
    of_tokens = Usage(
        input_tokens=read,
        output_tokens=written,
        cache_read_tokens=cached,
        cache_write_tokens=stored,
        reasoning_tokens=min(reported_tokens(of_output.reasoning_tokens), written),
        cache_write_1h_tokens=min(longer, stored),
    )
    return of_tokens + hosted_tools.used(response)

"""Decodes answers and their events, and converts usage, stop reasons and citations."""

from typing import Final, cast

import msgspec

from cartrita.dialects.anthropic_messages import DIALECT
from cartrita.dialects.anthropic_messages.response_types import Event, MessageBody, UsageCounts
from cartrita.dialects.reported_counts import count_at
from cartrita.domain.deltas import FinishReason
from cartrita.domain.file_places import FilePlace
from cartrita.domain.files import is_file_id
from cartrita.domain.json import JsonObject, JsonValue
from cartrita.domain.messages import Citation
from cartrita.domain.usage import Usage
from cartrita.kit import surrogate_json
from cartrita.kit.json_answers import refuse_unreadable
from cartrita.kit.text import storable_json, storable_text

_decode_event = msgspec.json.Decoder(Event).decode
_decode_message = msgspec.json.Decoder(MessageBody).decode

_FINISH_REASONS: Final = {
    "end_turn": FinishReason.STOP,
    "stop_sequence": FinishReason.STOP,
    "pause_turn": FinishReason.STOP,
    "max_tokens": FinishReason.LENGTH,
    "model_context_window_exceeded": FinishReason.LENGTH,
    "tool_use": FinishReason.TOOL_CALL,
    "refusal": FinishReason.CONTENT_FILTER,
}
_INPUT = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
_TOLD = ("end_turn", "max_tokens", "tool_use", "stop_sequence")


def decode_event(data: str | bytes) -> Event:
    """Decode an event of a stream. Raises ValueError if it is none."""
    refuse_unreadable(data)
    try:
        return _decode_event(data)
    except (ValueError, RecursionError):
        return surrogate_json.decode(data, Event)


def decode_message(data: str | bytes) -> MessageBody:
    """Decode a whole message. Raises ValueError if it is none."""
    refuse_unreadable(data)
    try:
        return _decode_message(data)
    except (ValueError, RecursionError):
        return surrogate_json.decode(data, MessageBody)


def finish_reason(value: str) -> FinishReason | None:
    """The finish reason; None for a stop reason that is not known."""
    return _FINISH_REASONS.get(value)


def vendor_reason(value: str) -> str | None:
    """The stop reason, if it says more than the finish reason."""
    return None if value in _TOLD else storable_text(value)


def counts_of(told: JsonValue) -> UsageCounts | None:
    """What can be read of a usage; None if it is none."""
    if not isinstance(told, dict):
        return None
    return UsageCounts(
        input_tokens=count_at(told, "input_tokens"),
        output_tokens=count_at(told, "output_tokens"),
        cache_read_input_tokens=count_at(told, "cache_read_input_tokens"),
        cache_creation_input_tokens=count_at(told, "cache_creation_input_tokens"),
        cache_creation=told.get("cache_creation"),
        output_tokens_details=told.get("output_tokens_details"),
        server_tool_use=told.get("server_tool_use"),
        iterations=told.get("iterations"),
    )


def merge(old: UsageCounts, new: UsageCounts) -> UsageCounts:
    """The counts of a later event over those of an earlier one: they are totals, not additions.

    Some servers tell the input at the start only, and all of it as 0 at the end.
    """
    told = any(getattr(new, name) for name in _INPUT)
    changes = {
        name: value
        for name in new.__struct_fields__
        if (value := getattr(new, name)) is not None and (value or told or name not in _INPUT)
    }
    return msgspec.structs.replace(old, **changes)


def usage(counts: UsageCounts) -> Usage:
    """The usage with inclusive totals: the API counts cached tokens apart.

    What the server read and wrote to make a long conversation shorter is not in its totals.
    """
    iterations = counts.iterations if isinstance(counts.iterations, list) else []
    compactions = (_compaction(one) for one in iterations)
    return sum(compactions, _of_answer(counts))


def _of_answer(counts: UsageCounts) -> Usage:
    return _inclusive(
        counts.input_tokens or 0,
        counts.output_tokens or 0,
        counts.cache_read_input_tokens or 0,
        counts.cache_creation_input_tokens or 0,
        count_at(counts.output_tokens_details, "thinking_tokens") or 0,
        count_at(counts.cache_creation, "ephemeral_1h_input_tokens") or 0,
        count_at(counts.server_tool_use, "web_search_requests") or 0,
    )


def _compaction(iteration: JsonValue) -> Usage:
    """What one iteration used, if it is none of the answer's own."""
    if not isinstance(iteration, dict) or iteration.get("type") != "compaction":
        return Usage()
    return _inclusive(
        count_at(iteration, "input_tokens") or 0,
        count_at(iteration, "output_tokens") or 0,
        count_at(iteration, "cache_read_input_tokens") or 0,
        count_at(iteration, "cache_creation_input_tokens") or 0,
        longer=count_at(iteration, "cache_creation", "ephemeral_1h_input_tokens") or 0,
    )


def _inclusive(
    plain: int,
    output: int,
    read: int,
    written: int,
    thinking: int = 0,
    longer: int = 0,
    searches: int = 0,
) -> Usage:
    return Usage(
        input_tokens=plain + read + written,
        output_tokens=output,
        cache_read_tokens=read,
        cache_write_tokens=written,
        reasoning_tokens=min(thinking, output),
        cache_write_1h_tokens=min(longer, written),
        web_searches=searches,
    )


def citation(vendor: JsonObject, index: int) -> Citation:
    """The citation of a text, with the vendor's own object for its details."""
    kept = cast("JsonObject", storable_json(vendor))
    url, source = _text(kept, "url"), _text(kept, "source")
    if url is None and source is not None and source.startswith(("http://", "https://")):
        url = source
    title = _text(kept, "title") or _text(kept, "document_title") or url or source or "document"
    snippet = _text(kept, "cited_text")
    place = _own_place(kept, title)
    if place is not None:
        return Citation(place.title, place.url, snippet, index)
    if kept.get("encrypted_index") == "":  # the citation of another dialect, in our own writing
        return Citation(title, url, snippet, index)
    return Citation(title, url, snippet, index, origin=DIALECT, vendor=kept)


def _own_place(vendor: JsonObject, name: str) -> FilePlace | None:
    """The page of a file that is stored here, if that is what is cited."""
    file_id, page = vendor.get("file_id"), vendor.get("start_page_number")
    if not isinstance(file_id, str) or not is_file_id(file_id) or not isinstance(page, int):
        return None
    return FilePlace(file_id, name, page)


def _text(fields: JsonObject, name: str) -> str | None:
    value = fields.get(name)
    return value if isinstance(value, str) and value else None

"""Conversion between domain values and the columns in which the run log stores them."""

from decimal import Decimal
from typing import cast, get_args

import msgspec

from cartrita.adapters.runlog.connection import Row
from cartrita.domain.events import (
    VERSION,
    ApprovalAsked,
    Event,
    ReasoningAppended,
    RunCompleted,
    RunStopped,
    SourceFound,
    TextAppended,
    ToolCalled,
    ToolReturned,
    UnknownEvent,
    VendorPartAdded,
)
from cartrita.domain.json import JsonObject, JsonValue
from cartrita.domain.messages import Citation, VendorPart
from cartrita.domain.runs import Run, RunInput, RunStatus
from cartrita.domain.step_records import UNKNOWN_RESULT
from cartrita.domain.usage import Usage

_encode = msgspec.json.Encoder().encode
_event = msgspec.json.Decoder(Event)
_input = msgspec.json.Decoder(RunInput)
_usage = msgspec.json.Decoder(Usage)
_object_of_json = msgspec.json.Decoder(dict[str, JsonValue])
_KNOWN = frozenset(kind.__struct_config__.tag for kind in get_args(Event))

__all__ = [
    "RUN_COLUMNS",
    "VERSION",
    "canonical",
    "dump",
    "dump_event",
    "encoded_size",
    "load_event",
    "load_input",
    "load_run",
]

RUN_COLUMNS = (
    "id, owner_id, conversation_id, message_id, user_message_id, surface, status, agent, provider,"
    " model, attempt, created_at, started_at, ended_at, cancel_requested_at, last_seq, usage,"
    " error_code, input,"
    " (SELECT external_id FROM conversations c WHERE c.id = conversation_id) AS external_id"
)
"""The columns of `runs` that load_run reads."""


def dump(value: object) -> str:
    """JSON text for a jsonb parameter."""
    return _encode(value).decode()


def load_event(text: str | bytes | msgspec.Raw) -> Event:
    """Unknown kinds become UnknownEvent. Raises ValidationError for a malformed known kind."""
    try:
        return _as_of_now(_event.decode(text))
    except msgspec.ValidationError:
        stored = _object_of_json.decode(text)
        if not isinstance(stored.get("type"), str) or stored["type"] in _KNOWN:
            raise
        return UnknownEvent(stored)


def _as_of_now(event: Event) -> Event:
    """Before version 4, the result alone told that nobody knows what a tool did."""
    if isinstance(event, ToolReturned) and event.result == UNKNOWN_RESULT:
        return msgspec.structs.replace(event, unknown=True)
    return event


def load_input(text: str) -> RunInput:
    return _input.decode(text)


def load_run(row: Row) -> Run:
    """A run from a row with RUN_COLUMNS."""
    return Run(
        id=row["id"],
        owner_id=row["owner_id"],
        conversation_id=row["conversation_id"],
        message_id=row["message_id"],
        user_message_id=row["user_message_id"],
        surface=row["surface"],
        status=RunStatus(row["status"]),
        agent=row["agent"],
        provider=row["provider"],
        model=row["model"],
        attempt=row["attempt"],
        created_at=row["created_at"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        cancel_requested=row["cancel_requested_at"] is not None,
        last_seq=row["last_seq"],
        usage=None if row["usage"] is None else _usage.decode(row["usage"]),
        error_code=row["error_code"],
        input=_readable_input(row["input"]),
        external_id=row["external_id"],
    )


def _readable_input(text: str) -> RunInput | None:
    try:
        return load_input(text)
    except msgspec.ValidationError:
        return None


def dump_event(event: Event) -> str:
    """Raises RecursionError for nesting so deep that not every reader could decode it."""
    return dump(event.stored if isinstance(event, UnknownEvent) else _canonical(event))


def canonical(event: Event) -> Event:
    """The event as jsonb returns it, so that live and later readers get the same bytes."""
    try:
        return _canonical(event)
    except RecursionError:
        return event  # its INSERT will be refused


def encoded_size(event: Event) -> int:
    """Approximate size in bytes; exact for text, without its frame."""
    if isinstance(event, ReasoningAppended) or (
        isinstance(event, TextAppended) and not event.logprobs
    ):
        text = event.text
        return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
    try:
        return len(_encode(event))
    except (RecursionError, UnicodeError):
        return 0  # its INSERT will be refused


def _canonical(event: Event) -> Event:
    match event:
        case TextAppended(logprobs=logprobs) if logprobs:
            return msgspec.structs.replace(event, logprobs=tuple(map(_object, logprobs)))
        case ToolCalled() | ApprovalAsked():
            return _call(event)
        case ToolReturned(result=result):
            return msgspec.structs.replace(event, result=_value(result))
        case RunStopped(details=details):
            return msgspec.structs.replace(event, details=_object(details))
        case RunCompleted(sources=sources):
            return msgspec.structs.replace(event, sources=tuple(map(_citation, sources)))
        case SourceFound(citation=citation):
            return msgspec.structs.replace(event, citation=_citation(citation))
        case VendorPartAdded(part=part):
            return VendorPartAdded(VendorPart(part.origin, _object(part.data)))
        case _:
            return event


def _call(event: ToolCalled | ApprovalAsked) -> ToolCalled | ApprovalAsked:
    event = msgspec.structs.replace(event, arguments=_object(event.arguments))
    if isinstance(event, ApprovalAsked) or not event.vendor:
        return event
    return msgspec.structs.replace(event, vendor=_object(event.vendor))


def _citation(citation: Citation) -> Citation:
    if not citation.vendor:
        return citation
    return msgspec.structs.replace(citation, vendor=_object(citation.vendor))


def _object(value: JsonObject) -> JsonObject:
    """jsonb orders names by length, then by bytes."""
    named = sorted((len(raw := name.encode("utf-8", "surrogatepass")), raw, name) for name in value)
    return {name: _value(value[name]) for _, _, name in named}


def _value(value: JsonValue) -> JsonValue:
    if isinstance(value, dict):
        return _object(cast("JsonObject", value))
    if isinstance(value, list):
        return [_value(item) for item in cast("list[JsonValue]", value)]
    return _number(value) if isinstance(value, float) else value


def _number(value: float) -> int | float:
    """jsonb writes exponents out as digits and has no negative zero."""
    text = repr(value)
    if "e+" in text:
        return int(Decimal(text))
    return value or 0.0

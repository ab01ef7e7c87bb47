"""Domain values as the log's jsonb columns hold them."""

from decimal import Decimal
from typing import cast, get_args

import msgspec

from cartrita.domain.events import (
    VERSION,
    Event,
    ReasoningAppended,
    RunStopped,
    TextAppended,
    ToolCalled,
    ToolReturned,
    UnknownEvent,
)
from cartrita.domain.json import JsonObject, JsonValue
from cartrita.domain.runs import RunInput

_encode = msgspec.json.Encoder().encode
_event = msgspec.json.Decoder(Event)
_input = msgspec.json.Decoder(RunInput)
_object_of_json = msgspec.json.Decoder(dict[str, JsonValue])
_KNOWN = frozenset(kind.__struct_config__.tag for kind in get_args(Event))

__all__ = ["VERSION", "as_stored", "dump", "dump_event", "load_event", "load_input", "weight"]


def dump(value: object) -> str:
    """JSON text for a jsonb parameter."""
    return _encode(value).decode()


def load_event(text: str | bytes | msgspec.Raw) -> Event:
    """Raises ValidationError for an event of a known kind that is none of its kind."""
    try:
        return _event.decode(text)
    except msgspec.ValidationError:
        stored = _object_of_json.decode(text)
        if not isinstance(stored.get("type"), str) or stored["type"] in _KNOWN:
            raise
        return UnknownEvent(stored)


def load_input(text: str) -> RunInput:
    return _input.decode(text)


def dump_event(event: Event) -> str:
    """Raises RecursionError where it is nested so deeply that not every reader could load it."""
    return dump(event.stored if isinstance(event, UnknownEvent) else _canonical(event))


def as_stored(event: Event) -> Event:
    """As jsonb will give it back, so that a live reader and a late one are told the same bytes."""
    try:
        return _canonical(event)
    except RecursionError:
        return event  # it will not be stored


def weight(event: Event) -> int:
    """About how many bytes an event takes besides its frame; text is counted exactly."""
    if isinstance(event, TextAppended | ReasoningAppended):
        text = event.text
        return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
    try:
        return len(_encode(event))
    except (RecursionError, UnicodeError):
        return 0  # it will not be stored


def _canonical(event: Event) -> Event:
    match event:
        case ToolCalled(arguments=arguments):
            return msgspec.structs.replace(event, arguments=_object(arguments))
        case ToolReturned(result=result):
            return msgspec.structs.replace(event, result=_value(result))
        case RunStopped(details=details):
            return msgspec.structs.replace(event, details=_object(details))
        case _:
            return event


def _object(value: JsonObject) -> JsonObject:
    """Names by length, then by bytes."""
    named = sorted((len(raw := name.encode("utf-8", "surrogatepass")), raw, name) for name in value)
    return {name: _value(value[name]) for _, _, name in named}


def _value(value: JsonValue) -> JsonValue:
    if isinstance(value, dict):
        return _object(cast("JsonObject", value))
    if isinstance(value, list):
        return [_value(item) for item in cast("list[JsonValue]", value)]
    return _number(value) if isinstance(value, float) else value


def _number(value: float) -> int | float:
    """jsonb writes powers of ten out, and knows no negative zero."""
    text = repr(value)
    if "e+" in text:
        return int(Decimal(text))
    return value or 0.0

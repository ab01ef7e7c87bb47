"""Domain values as the log's jsonb columns hold them."""

import msgspec

from cartrita.domain.events import VERSION, Event
from cartrita.domain.runs import RunInput

_encode = msgspec.json.Encoder().encode
_event = msgspec.json.Decoder(Event)
_input = msgspec.json.Decoder(RunInput)

__all__ = ["VERSION", "dump", "load_event", "load_input"]


def dump(value: object) -> str:
    """JSON text for a jsonb parameter."""
    return _encode(value).decode()


def load_event(text: str) -> Event:
    return _event.decode(text)


def load_input(text: str) -> RunInput:
    return _input.decode(text)

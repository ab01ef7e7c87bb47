"""The events of runs, and those that only a newer server knows."""

from __future__ import annotations

from functools import cache
from typing import Any, TypeAlias, cast

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json

from cartrita_client.generated import models
from cartrita_client.generated.models import EVENTS, ChatEvent
from cartrita_client.shapes import Model

__all__ = ["AnyEvent", "ChatEvent", "UnknownEvent", "parse_event", "read_event"]


class UnknownEvent(Model):
    """An event of a newer server: iterators pass over it, and count it as seen."""

    event: str
    data: Any = None
    id: str | None = None


AnyEvent: TypeAlias = "ChatEvent | UnknownEvent"


def parse_event(octets: bytes | str, event_id: str | None = None) -> AnyEvent:
    """The event of one frame of a stream. Raises ValueError for what is no event."""
    found = from_json(octets)
    if not isinstance(found, dict):
        raise ValueError("A frame is no JSON object.")
    return read_event(cast("dict[str, Any]", found), event_id)


def read_event(found: dict[str, Any], event_id: str | None = None) -> AnyEvent:
    """The event that a JSON object tells, with its id. Raises ValueError."""
    name = found.get("event")
    if not isinstance(name, str):
        raise ValueError("A frame names no event.")
    if name in EVENTS and not isinstance(found.get("data"), dict):
        raise ValueError(f"The event {name} holds no object.")
    found["id"] = event_id
    if name not in EVENTS:
        return UnknownEvent.model_construct(event=name, data=found.get("data"), id=event_id)
    try:
        event: ChatEvent = _adapter(name).validate_python(found)
    except ValidationError:  # it shows what was said
        raise ValueError(f"The event {name} is not what this client knows.") from None
    return event


@cache
def _adapter(name: str) -> TypeAdapter[Any]:
    return TypeAdapter(getattr(models, EVENTS[name]))

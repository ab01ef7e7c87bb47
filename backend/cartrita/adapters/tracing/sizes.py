"""Sizes: about how many bytes a fact keeps in memory until it is told."""

from typing import Final

import msgspec

from cartrita.domain.events import Event, TaskCompleted, TaskStarted, ToolCalled, ToolReturned
from cartrita.domain.json import JsonValue
from cartrita.domain.traces import (
    Fact,
    ModelCalled,
    RunAbandoned,
    RunEnded,
    RunNoted,
    RunTaken,
    ServiceCalled,
)

_FACT: Final = 1024
"""Of the fact itself, with its names and numbers."""


def kept_by(fact: Fact) -> int:
    """About the bytes of the texts that a fact keeps, in UTF-8."""
    match fact:
        case ModelCalled(contents=contents):
            return _FACT if contents is None else _FACT + contents.size
        case ServiceCalled(sent=sent, got=got):
            return _FACT + len(sent or "") + len(got or "")
        case RunNoted(event=event):
            return _FACT + _of_event(event)
        case RunTaken(claim=claim):
            return _FACT + sum(map(_of_event, claim.logged))
        case RunEnded(ending=ending) | RunAbandoned(ending=ending):
            message = ending.message
            return _FACT if message is None else _FACT + len(message.text)
        case _:
            return _FACT


def _of_event(event: Event) -> int:
    match event:
        case ToolCalled(arguments=arguments):
            return _of_json(arguments)
        case ToolReturned(result=result):
            return _of_json(result)
        case TaskStarted(description=text) | TaskCompleted(result=text):
            return len(text)
        case _:
            return 0


def _of_json(value: JsonValue) -> int:
    return len(value) if isinstance(value, str) else len(msgspec.json.encode(value))

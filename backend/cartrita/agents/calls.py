"""Tool calls put together from their pieces."""

import json
from collections.abc import Iterator
from typing import cast

import msgspec

from cartrita.agents.agent import Limits
from cartrita.domain.deltas import ToolCallDelta
from cartrita.domain.errors import UpstreamMalformed
from cartrita.domain.events import ToolCalled
from cartrita.domain.json import JsonObject
from cartrita.kit.ids import uuid7
from cartrita.kit.text import storable_json


class _Call:
    """A call so far."""

    __slots__ = ("arguments", "call_id", "name")

    def __init__(self) -> None:
        self.call_id = ""
        self.name = ""
        self.arguments: list[str] = []


class Calls:
    """The calls of one step. Raises UpstreamMalformed for what is none, or is one too many."""

    def __init__(self, provider: str, limits: Limits) -> None:
        self._provider = provider
        self._limits = limits
        self._calls: dict[int, _Call] = {}

    def add(self, delta: ToolCallDelta) -> None:
        """Take a piece."""
        call = self._calls.get(delta.index)
        if call is None:
            if len(self._calls) >= self._limits.tool_calls_per_step:
                raise self._malformed(f"asked for more than {len(self._calls)} tools at once")
            call = self._calls[delta.index] = _Call()
        call.call_id = call.call_id or delta.call_id or ""
        call.name = call.name or delta.name or ""
        call.arguments.append(delta.arguments)

    def whole(self) -> Iterator[ToolCalled]:
        """The calls in their order, checked before the first one leaves."""
        calls = [self._checked(self._calls[index]) for index in sorted(self._calls)]
        return iter(calls)

    def _checked(self, call: _Call) -> ToolCalled:
        if not call.name:
            raise self._malformed("asked for a tool without saying which")
        arguments = _parsed("".join(call.arguments))
        if arguments is None:
            raise self._malformed(f"called the tool {call.name} with arguments that are cut off")
        # Some servers give calls no id; the result of this one must still find its way back.
        return ToolCalled(call.call_id or f"call_{uuid7().hex}", call.name, arguments)

    def _malformed(self, what: str) -> UpstreamMalformed:
        return UpstreamMalformed(f"{self._provider} {what}.", provider=self._provider)


def _parsed(text: str) -> JsonObject | None:
    """The object in a JSON text, without what no store can hold; None where there is none."""
    if not text.strip():
        return {}
    try:
        value: object = msgspec.json.decode(text)
    except (ValueError, RecursionError):
        value = _slowly(text)
    return cast("JsonObject", storable_json(cast("object", value))) if isinstance(value, dict) else None


def _slowly(text: str) -> object:
    """With lone surrogates, which the fast decoder refuses."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None

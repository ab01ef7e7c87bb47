"""Puts the deltas of an answer in an order in which its blocks follow each other.

Blocks of the Messages API are not open in parallel; deltas of several tool calls may come mixed.
What comes while a call is not complete waits for its end; the call itself is passed on at once.
"""

import msgspec

from cartrita.domain.deltas import Delta, ToolCallDelta
from cartrita.domain.json import JsonObject

_decode = msgspec.json.Decoder(JsonObject).decode


class DeltaOrder:
    """Orders one answer: `feed` it each delta, and call `end` after the last.

    The first delta of a call that it returns has its name.
    """

    def __init__(self) -> None:
        self._call: _Call | None = None
        self._waiting: list[Delta] = []
        self._finished: set[int] = set()

    @property
    def is_free(self) -> bool:
        """Whether no call is open, so that any other delta is passed on as it comes."""
        return self._call is None

    def feed(self, delta: Delta) -> list[Delta]:
        """The deltas that can be passed on now."""
        call = self._call
        if call is None:
            return self._begin(delta) if isinstance(delta, ToolCallDelta) else [delta]
        if isinstance(delta, ToolCallDelta) and delta.index == call.index:
            deltas = call.add(delta)
            return deltas + self._next() if self._waiting and call.is_complete() else deltas
        self._waiting.append(delta)
        return self._next() if call.is_complete() else []

    def end(self) -> list[Delta]:
        """The rest."""
        deltas: list[Delta] = []
        while self._call is not None:
            deltas += self._call.rest()
            deltas += self._next()
        return deltas

    def _begin(self, delta: ToolCallDelta) -> list[Delta]:
        if delta.index in self._finished:  # only white space can follow complete arguments
            return []
        self._call = _Call(delta.index)
        return self._call.add(delta)

    def _next(self) -> list[Delta]:
        """End the call, and feed what waited for that."""
        if self._call is not None:
            self._finished.add(self._call.index)
        self._call = None
        waiting, self._waiting = self._waiting, []
        return [ordered for delta in waiting for ordered in self.feed(delta)]


class _Call:
    """A call that is not known to be complete; its beginning is held back until it has a name."""

    def __init__(self, index: int) -> None:
        self.index = index
        self._held = ToolCallDelta(index)
        self._named = False
        self._arguments: list[str] = []
        self._grown = False

    def add(self, delta: ToolCallDelta) -> list[Delta]:
        if delta.arguments:
            self._arguments.append(delta.arguments)
            self._grown = True
        if self._named:
            return [delta] if delta.arguments else []
        self._held = ToolCallDelta(
            self.index,
            self._held.call_id or delta.call_id,
            self._held.name or delta.name,
            self._held.arguments + delta.arguments,
        )
        return self.rest() if self._held.name else []

    def rest(self) -> list[Delta]:
        """What was held back."""
        if self._named:
            return []
        self._named = True
        return [msgspec.structs.replace(self._held, name=self._held.name or "unknown")]

    def is_complete(self) -> bool:
        """Whether the arguments are a whole JSON object."""
        if not self._grown:
            return False
        self._grown = False
        try:
            _decode("".join(self._arguments))
        except (ValueError, RecursionError):
            return False
        return True

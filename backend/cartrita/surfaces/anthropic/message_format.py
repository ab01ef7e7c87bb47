"""How answers are written as messages: those of calls and those of runs."""

from collections.abc import Callable, Sequence

import msgspec
from msgspec.structs import replace

from cartrita.dialects.anthropic_messages.answer_fields import MessageHead
from cartrita.dialects.anthropic_messages.relay import Monitor
from cartrita.dialects.anthropic_messages.response_rendering import render
from cartrita.dialects.anthropic_messages.stream_rendering import StreamRenderer
from cartrita.domain.deltas import Accepted, Delta
from cartrita.domain.events import RunCompleted
from cartrita.domain.json import JsonObject
from cartrita.gateway.answers import RelayMonitor
from cartrita.surfaces.answers import StreamRenderer as Renderer


class MessageFormat:
    """Writes one answer of a call that is not relayed; implements `AnswerFormat`."""

    def __init__(self, head: MessageHead, input_tokens: Callable[[], int]) -> None:
        """`input_tokens` is asked for an estimate of them, where the first event has to tell it."""
        self._head = head
        self._input_tokens = input_tokens

    def renderer(self, monitor: RelayMonitor | None) -> Renderer:
        """The renderer of the events; the rest of an answer goes on as its beginning was."""
        if isinstance(monitor, Monitor):
            return StreamRenderer.resumed(monitor, self._head)
        return StreamRenderer(replace(self._head, input_tokens=self._input_tokens()))

    def accepted(self, delta: Accepted) -> None:
        """Told in headers only: Anthropic's events have no place for it."""

    def whole(self, deltas: Sequence[Delta]) -> bytes:
        return render(self._head, deltas)


class MessageRunFormat:
    """Writes the answer of a run; implements `RunFormat`."""

    def __init__(self, head: MessageHead, extra: JsonObject) -> None:
        """`extra` is that of the head; a whole message tells about the run in it."""
        self._head = head
        self._extra = extra

    def renderer(self) -> Renderer:
        return StreamRenderer(self._head)

    def completed(self, end: RunCompleted) -> None:
        told: JsonObject = {
            "execution_time_seconds": round(end.seconds, 3),
            "agents_used": [end.agent],
            "iterations": end.calls,
        }
        if end.failovers:
            told["failovers"] = msgspec.to_builtins(end.failovers)
        if end.receipts:
            told["receipts"] = msgspec.to_builtins(end.receipts)
        self._extra["metadata"] = told

    def whole(self, deltas: Sequence[Delta]) -> bytes:
        return render(self._head, deltas)

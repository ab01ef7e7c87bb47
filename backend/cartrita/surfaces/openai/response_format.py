"""How answers are written as responses: those of calls and those of runs."""

import time
from collections.abc import Callable, Sequence

from msgspec.structs import replace

from cartrita.dialects.openai_responses.relay import Monitor
from cartrita.dialects.openai_responses.request_parsing import Parsed
from cartrita.dialects.openai_responses.response_objects import ResponseHead
from cartrita.dialects.openai_responses.response_rendering import render
from cartrita.dialects.openai_responses.stream_rendering import StreamRenderer
from cartrita.domain.deltas import Accepted, Delta
from cartrita.domain.events import RunCompleted
from cartrita.domain.json import JsonObject
from cartrita.gateway.answers import RelayMonitor
from cartrita.kit.ids import uuid7
from cartrita.surfaces.v1.call_answers import StreamRenderer as Renderer
from cartrita.surfaces.v1.routes_told import route_metadata


class ResponseFormat:
    """Writes one answer of a call that is not relayed; implements `AnswerFormat`.

    The model has the name that was asked for, unless the provider answers with another than it was
    sent.
    """

    def __init__(self, parse: Callable[[], Parsed]) -> None:
        """`parse` makes the request, which is read only where its answer is not relayed."""
        self._parse = parse
        self._answered_as: str | None = None
        self._told: JsonObject = {}

    def renderer(self, monitor: RelayMonitor | None) -> Renderer:
        """The renderer of the events; the rest of an answer goes on as its beginning was."""
        if isinstance(monitor, Monitor):
            return StreamRenderer.resumed(monitor, self._told)
        return StreamRenderer(self._head())

    def accepted(self, delta: Accepted) -> None:
        """Told in a field of ours, because `metadata` is the caller's and holds only strings."""
        self._answered_as = delta.answered_as
        if told := route_metadata(delta.failovers, delta.receipts):
            self._told["cartrita"] = told

    def whole(self, deltas: Sequence[Delta]) -> bytes:
        for delta in deltas:
            if isinstance(delta, Accepted):
                self.accepted(delta)
        return render(self._head(), deltas, completed_at=int(time.time()))

    def _head(self) -> ResponseHead:
        parsed = self._parse()
        return ResponseHead(
            id=f"resp_{uuid7().hex}",
            created_at=int(time.time()),
            model=self._answered_as or parsed.request.model,
            store=False,
            previous_response_id=parsed.previous_response_id,
            metadata=parsed.metadata,
            include=parsed.include,
            echo=parsed.echo,
            extra=self._told,
        )


class ResponseRunFormat:
    """Writes the answer of a run; implements `RunFormat`.

    A stream leaves out the events up to the number `after`, which its reader has had.
    """

    def __init__(self, head: ResponseHead, after: int = -1) -> None:
        self._told: JsonObject = {}
        self._head = replace(head, extra=self._told)
        self._after = after
        self._seconds = 0.0

    def renderer(self) -> Renderer:
        return StreamRenderer(self._head, after=self._after)

    def completed(self, end: RunCompleted) -> None:
        self._seconds = end.seconds
        if told := route_metadata(end.failovers, end.receipts):
            self._told["cartrita"] = told

    def whole(self, deltas: Sequence[Delta]) -> bytes:
        completed_at = self._head.created_at + round(self._seconds)
        return render(self._head, deltas, completed_at=completed_at)

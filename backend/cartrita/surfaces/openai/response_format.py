"""How the answers of calls and of runs are written as responses."""

import time
from collections.abc import Callable, Sequence

from msgspec.structs import replace

from cartrita.dialects.openai_responses.relay import Monitor
from cartrita.dialects.openai_responses.response_objects import ResponseHead
from cartrita.dialects.openai_responses.response_rendering import render
from cartrita.dialects.openai_responses.stream_rendering import StreamRenderer
from cartrita.domain.deltas import Accepted, Delta
from cartrita.domain.events import RunCompleted
from cartrita.domain.json import JsonObject
from cartrita.domain.ports.relay_monitors import RelayMonitor
from cartrita.surfaces.v1.call_answers import StreamRenderer as Renderer
from cartrita.surfaces.v1.routes_told import route_metadata


class ResponseFormat:
    """Writes one answer that is not relayed; implements `AnswerFormat` and `RunFormat`.

    The model has the name that was asked for, unless the provider of a call answers with another
    than it was sent.
    """

    def __init__(self, create_head: Callable[[], ResponseHead], after: int = -1) -> None:
        """`create_head` is called only where the answer is not relayed.

        A stream leaves out the events up to the number `after`, which its reader has had.
        """
        self._create_head = create_head
        self._after = after
        self._answered_as: str | None = None
        self._run_seconds: float | None = None
        self._told: JsonObject = {}
        self.message_id: str | None = None

    def renderer(self, monitor: RelayMonitor | None = None) -> Renderer:
        """The renderer of the events; the rest of an answer goes on as its beginning was."""
        if isinstance(monitor, Monitor):
            return StreamRenderer.resumed(monitor, self._told)
        return StreamRenderer(self._head(), after=self._after)

    def accepted(self, delta: Accepted) -> None:
        self._answered_as = delta.answered_as
        self._tell(delta)

    def completed(self, end: RunCompleted) -> None:
        self._run_seconds = end.seconds
        self._tell(end)

    def whole(self, deltas: Sequence[Delta]) -> bytes:
        head = self._head()
        completed_at = int(time.time())
        if self._run_seconds is not None:
            completed_at = head.created_at + round(self._run_seconds)
        return render(head, deltas, completed_at=completed_at)

    def _head(self) -> ResponseHead:
        head = self._create_head()
        self.message_id = head.id
        return replace(head, model=self._answered_as or head.model, extra=self._told)

    def _tell(self, route: Accepted | RunCompleted) -> None:
        """Told in a field of ours, because `metadata` is the caller's and holds only strings."""
        if told := route_metadata(route.failovers, route.receipts):
            self._told["cartrita"] = told

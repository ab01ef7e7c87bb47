"""How answers are written as chat completions: those of calls and those of runs."""

from collections.abc import Callable, Sequence
from functools import cached_property

from msgspec.structs import replace

from cartrita.dialects.openai_chat.answer_fields import CompletionHead
from cartrita.dialects.openai_chat.relay import Monitor
from cartrita.dialects.openai_chat.response_rendering import render
from cartrita.dialects.openai_chat.stream_rendering import StreamRenderer
from cartrita.domain.deltas import Accepted, Delta
from cartrita.domain.events import RunCompleted
from cartrita.domain.json import JsonObject
from cartrita.gateway.answers import RelayMonitor
from cartrita.surfaces.v1.call_answers import StreamRenderer as Renderer
from cartrita.surfaces.v1.routes_told import route_metadata, run_metadata


class ChatFormat:
    """Writes one answer of a call that is not relayed; implements `AnswerFormat`.

    What happened to the call is told in the `metadata` at the end of the answer. The model has the
    name that was asked for, unless the provider answers with another than it was sent.
    """

    def __init__(self, create_head: Callable[[], CompletionHead]) -> None:
        """The head has `finishing` of its own, which is filled before the answer ends.

        It is created where it is used, because most answers are relayed.
        """
        self._create_head = create_head

    @cached_property
    def head(self) -> CompletionHead:
        """The head of the answer."""
        return self._create_head()

    def renderer(self, monitor: RelayMonitor | None) -> Renderer:
        """The renderer of the chunks; the rest of an answer goes on as its beginning was."""
        if isinstance(monitor, Monitor):
            return StreamRenderer.resumed(
                monitor, include_usage=self.head.include_usage, finishing=self.head.finishing
            )
        return StreamRenderer(self.head)

    def accepted(self, delta: Accepted) -> None:
        if delta.answered_as is not None:
            self.head = replace(self.head, model=delta.answered_as)
        if told := route_metadata(delta.failovers, delta.receipts):
            self.head.finishing["metadata"] = told

    def whole(self, deltas: Sequence[Delta]) -> bytes:
        for delta in deltas:
            if isinstance(delta, Accepted):
                self.accepted(delta)
        return render(self.head, deltas)


class ChatRunFormat:
    """Writes the answer of a run; implements `RunFormat`."""

    def __init__(self, head: CompletionHead, metadata: JsonObject) -> None:
        """`head` has `finishing` of its own, which is filled before the answer ends.

        `metadata` is the caller's, which is told beside ours; a name of ours is ours.
        """
        self._head = head
        self._metadata = metadata

    def renderer(self) -> Renderer:
        return StreamRenderer(self._head)

    def completed(self, end: RunCompleted) -> None:
        self._head.finishing["metadata"] = {**self._metadata, **run_metadata(end)}

    def whole(self, deltas: Sequence[Delta]) -> bytes:
        return render(self._head, deltas)

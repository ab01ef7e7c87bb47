"""How the answers of calls and of runs are written as chat completions."""

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
from cartrita.domain.ports.relay_monitors import RelayMonitor
from cartrita.surfaces.v1.call_answers import StreamRenderer as Renderer
from cartrita.surfaces.v1.routes_told import route_metadata, run_metadata


class ChatFormat:
    """Writes one answer that is not relayed; implements `AnswerFormat` and `RunFormat`.

    What happened to the call or run is told in the `metadata` at the end of the answer. The model
    has the name that was asked for, unless the provider of a call answers with another than it was
    sent.
    """

    def __init__(
        self, create_head: Callable[[], CompletionHead], metadata: JsonObject | None = None
    ) -> None:
        """The head has `finishing` of its own, which is filled before the answer ends.

        It is created where it is used, because most answers are relayed. `metadata` is that of the
        caller of a run, which is told beside ours; a name of ours is ours.
        """
        self._create_head = create_head
        self._metadata = metadata or {}

    @cached_property
    def head(self) -> CompletionHead:
        """The head of the answer."""
        return self._create_head()

    @property
    def message_id(self) -> str:
        """The id of the completion."""
        return self.head.id

    def renderer(self, monitor: RelayMonitor | None = None) -> Renderer:
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

    def completed(self, end: RunCompleted) -> None:
        self.head.finishing["metadata"] = {**self._metadata, **run_metadata(end)}

    def whole(self, deltas: Sequence[Delta]) -> bytes:
        return render(self.head, deltas)

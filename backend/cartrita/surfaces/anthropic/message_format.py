"""How the answers of calls and of runs are written as messages."""

from collections.abc import Callable, Sequence
from functools import cached_property

from msgspec.structs import replace

from cartrita.dialects.anthropic_messages.answer_fields import MessageHead
from cartrita.dialects.anthropic_messages.relay import Monitor
from cartrita.dialects.anthropic_messages.response_rendering import render
from cartrita.dialects.anthropic_messages.stream_rendering import StreamRenderer
from cartrita.domain.deltas import Accepted, Delta
from cartrita.domain.events import RunCompleted
from cartrita.domain.ports.relay_monitors import RelayMonitor
from cartrita.surfaces.v1.call_answers import StreamRenderer as Renderer
from cartrita.surfaces.v1.routes_told import route_metadata, run_metadata


class MessageFormat:
    """Writes one answer that is not relayed; implements `AnswerFormat` and `RunFormat`.

    What happened to the call or run is told in the `metadata` at the end of the answer. The model
    has the name that was asked for, unless the provider of a call answers with another than it was
    sent.
    """

    def __init__(
        self, create_head: Callable[[], MessageHead], input_tokens: Callable[[], int]
    ) -> None:
        """The head, which is created where it is used, has `finishing` of its own.

        `input_tokens` is asked for an estimate of them, where the first event has to tell it.
        """
        self._create_head = create_head
        self._input_tokens = input_tokens

    @cached_property
    def _head(self) -> MessageHead:
        return self._create_head()

    @property
    def message_id(self) -> str:
        """The id of the message."""
        return self._head.id

    def renderer(self, monitor: RelayMonitor | None = None) -> Renderer:
        """The renderer of the events; the rest of an answer goes on as its beginning was."""
        if isinstance(monitor, Monitor):
            return StreamRenderer.resumed(monitor, self._head)
        return StreamRenderer(replace(self._head, input_tokens=self._input_tokens()))

    def accepted(self, delta: Accepted) -> None:
        if delta.answered_as is not None:
            self._head = replace(self._head, model=delta.answered_as)
        if told := route_metadata(delta.failovers, delta.receipts):
            self._head.finishing["metadata"] = told

    def completed(self, end: RunCompleted) -> None:
        self._head.finishing["metadata"] = run_metadata(end)

    def whole(self, deltas: Sequence[Delta]) -> bytes:
        return render(self._head, deltas)

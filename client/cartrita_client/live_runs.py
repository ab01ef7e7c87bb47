"""What one live run has sent so far, and what is still to be read of it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from cartrita_client.answers import error_told
from cartrita_client.errors import CartritaApiError, CartritaError, SessionClosed
from cartrita_client.events import AnyEvent, ChatEvent, UnknownEvent
from cartrita_client.generated.models import (
    DoneData,
    DoneFrame,
    ErrorFrame,
    SnapshotFrame,
    TokenFrame,
)
from cartrita_client.streams import AnswerText, text_of


@dataclass(slots=True, eq=False)
class RunState:
    """A run on a live session; `seq` is its cursor, `unread` what its reader has not had yet.

    `message` is its `chat` frame until the server says that it is stored.
    """

    client_msg_id: str = ""
    message: dict[str, Any] | None = None
    run_id: str = ""
    seq: int = 0
    text: AnswerText = field(default_factory=AnswerText)
    done: DoneData | None = None
    error: CartritaApiError | None = None
    ended: bool = False
    broken: CartritaError | None = None
    refusals: int = 0
    unread: deque[ChatEvent] = field(default_factory=deque[ChatEvent])

    @property
    def settled(self) -> bool:
        """Whether nothing more will come."""
        return self.ended or self.broken is not None

    def take(self, event: AnyEvent, seq: int | None) -> None:
        """Take an event, unless it was there before."""
        if self.settled:
            return
        if seq is not None:
            if seq <= self.seq and not isinstance(event, SnapshotFrame | DoneFrame | ErrorFrame):
                return
            self.seq, self.refusals = seq, 0
        if not isinstance(event, UnknownEvent):
            self._apply(event)
            self.unread.append(event)

    def _apply(self, event: ChatEvent) -> None:
        match event:
            case TokenFrame():
                self.text.add(event.data.position, event.data.delta)
            case SnapshotFrame():
                self.text.replace(text_of(event))
            case DoneFrame():
                self.done, self.ended = event.data, True
            case ErrorFrame():
                self.error, self.ended = error_told(event.data), True
            case _:
                pass


def final_of(run: RunState) -> DoneData:
    """What the last event of a run says. Raises its error."""
    problem = run.error or run.broken
    if problem is not None:
        raise problem
    if run.done is None:
        raise SessionClosed("The run was left before its end.")
    return run.done

"""A live session over a WebSocket, for programs that block."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, Unpack

from cartrita_client.errors import SessionClosed
from cartrita_client.events import ChatEvent
from cartrita_client.generated.models import ApprovalRequiredData, DoneData
from cartrita_client.live_connections import LiveConnection
from cartrita_client.live_runs import RunState, final_of
from cartrita_client.live_state import Command, LiveState
from cartrita_client.settings import Settings
from cartrita_client.sockets import CHAT, auth_of
from cartrita_client.streams import ToldText

if TYPE_CHECKING:
    from cartrita_client.generated.requests import ChatFields


class LiveSession:
    """Several answers over one connection, which comes back by itself where each of them was.

    Messages wait in an outbox until the server has stored them, and are stored once. Frames are
    read while a run's events are iterated over; threads may do that with a run each.
    """

    def __init__(self, settings: Settings) -> None:
        self._state = LiveState(auth_of(settings), settings.resumes)
        self._connection = LiveConnection(settings, self._state, CHAT)

    def chat(self, message: str, **fields: Unpack[ChatFields]) -> LiveRun:
        """Say something; iterate over what is returned for the events of the answer."""
        return self._begun(lambda: self._state.say({"message": message, **fields}))

    def follow(self, run_id: str, *, after: int = 0) -> LiveRun:
        """The events of a run behind one that was received, then those to come."""
        return self._begun(lambda: self._state.follow(run_id, after))

    def ping(self) -> None:
        """Return when the server has answered."""
        self._require_open()
        command = Command({"type": "ping"}, None)
        try:
            self._connection.say(lambda: self._state.say_command(command))
            while not command.handled:
                self.pump(lambda: command.handled)
        finally:
            command.left = True

    def send_soon(self, frame: dict[str, Any]) -> None:
        """Send a frame that nothing depends on, if there is a connection."""
        self._connection.say(lambda: (None, [json.dumps(frame)]))

    def command(self, run: RunState, frame: dict[str, Any]) -> None:
        """Send a frame about a run; return when it was handled, raise if it was refused."""
        command = self._connection.say(lambda: self._state.command(run, frame))
        while not command.handled and not run.settled:
            self.pump(lambda: command.handled or run.settled)
        if command.error is not None:
            raise command.error

    def pump(self, enough: Callable[[], bool]) -> None:
        """Take one frame, unless there is enough."""
        self._connection.pump(enough)

    def close(self) -> None:
        """Close the connection; runs go on, and can be followed again."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _begun(self, begin: Callable[[], RunState]) -> LiveRun:
        """A run that this session follows; not if whoever wants it stops waiting for it here."""
        self._require_open()
        run: RunState | None = None

        def begun() -> tuple[RunState, list[str]]:
            nonlocal run
            run = begin()
            return run, list(self._state.frames_of(run))

        try:
            run = self._connection.say(begun)
            self._connection.ensure_open()
        except BaseException:
            if run is not None:
                self._state.leave(run)
            raise
        return LiveRun(self, run)

    def _require_open(self) -> None:
        if self._connection.is_closed:
            raise SessionClosed("The session was closed: open another.")


class LiveRun:
    """An answer on a live session: iterate over it for the events."""

    def __init__(self, session: LiveSession, run: RunState) -> None:
        self._session = session
        self._run = run

    @property
    def run_id(self) -> str:
        """The run; empty until the server has stored the message."""
        return self._run.run_id

    @property
    def seq(self) -> int:
        """The last event that came: `follow` goes on behind it."""
        return self._run.seq

    @property
    def answer(self) -> str:
        """The answer's text so far."""
        return str(self._run.text)

    def text(self) -> Iterator[str]:
        """The text of the answer, piece by piece. Raises the error of a run that fails."""
        told = ToldText()
        for event in self:
            if piece := told.new_in(event):
                yield piece
        if self._run.error is not None:
            raise self._run.error

    def final(self) -> DoneData:
        """Read to the end; what the last event says. Raises the error of a run that fails."""
        for _ in self:
            pass
        return final_of(self._run)

    def cancel(self) -> None:
        """Cancel the run, and return when the server has taken that; the last event tells it."""
        self._do({"type": "cancel"})

    def approve(self, approval: ApprovalRequiredData, decision: str = "approve") -> None:
        """Decide on a call that the run waits for. Raises if the decision is not taken."""
        self._do(
            {
                "type": "approve",
                "approval_id": approval.approval_id,
                "decision": decision,
                "arguments_hash": approval.arguments_hash,
            }
        )

    def ack(self) -> None:
        """Tell the server how far this reader is."""
        frame = {"type": "ack", "run_id": self._run.run_id, "seq": self._run.seq}
        self._session.send_soon(frame)

    def __iter__(self) -> Iterator[ChatEvent]:
        return self

    def __next__(self) -> ChatEvent:
        while not self._run.unread:
            if self._run.broken is not None:
                raise self._run.broken
            if self._run.ended:
                raise StopIteration
            self._session.pump(self._is_ready)
        return self._run.unread.popleft()

    def _is_ready(self) -> bool:
        return bool(self._run.unread) or self._run.settled

    def _do(self, frame: dict[str, Any]) -> None:
        while not self._run.run_id and not self._run.settled:
            self._session.pump(lambda: bool(self._run.run_id))
        if self._run.broken is not None:
            raise self._run.broken
        if not self._run.ended:
            self._session.command(self._run, frame)

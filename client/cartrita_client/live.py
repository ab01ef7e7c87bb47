"""A live session over a WebSocket, for programs that block."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from threading import Condition, Lock
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, Unpack

from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import ClientConnection, reconnect

from cartrita_client.errors import CartritaError, SessionClosed
from cartrita_client.events import ChatEvent
from cartrita_client.generated.models import ApprovalRequiredData, DoneData
from cartrita_client.live_runs import RunState, final_of
from cartrita_client.live_state import Command
from cartrita_client.settings import Settings
from cartrita_client.sockets import connect_options, refusal, socket_url, state_of
from cartrita_client.streams import ToldText

if TYPE_CHECKING:
    from cartrita_client.generated.requests import ChatFields


class _Opening(reconnect):
    """A connection to the very address that was given: a key is not carried to another."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        """Take a redirect for the refusal that it is."""
        return exc


class LiveSession:
    """Several answers over one connection, which comes back by itself where each of them was.

    Messages wait in an outbox until the server has stored them, and are stored once. Frames are
    read while a run's events are iterated over; threads may do that with a run each.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._state = state_of(settings)
        self._opened = ExitStack()
        self._socket: ClientConnection | None = None
        self._turn = Condition()
        self._working = False
        self._sending = Lock()
        self._closed = False

    def chat(self, message: str, **fields: Unpack[ChatFields]) -> LiveRun:
        """Say something; iterate over what is returned for the events of the answer."""
        return self._begun(lambda: self._state.say({"message": message, **fields}))

    def follow(self, run_id: str, *, after: int = 0) -> LiveRun:
        """The events of a run behind one that was received, then those to come."""
        return self._begun(lambda: self._state.follow(run_id, after))

    def ping(self) -> None:
        """Return when the server has answered."""
        self._require_open()
        command = self._told(self._state.ping)
        while not command.handled:
            self.pump(lambda: command.handled)

    def send_soon(self, frame: dict[str, Any]) -> None:
        """Send a frame that nothing depends on, if there is a connection."""
        with self._sending:
            self._send([json.dumps(frame)])

    def command(self, run: RunState, frame: dict[str, Any]) -> None:
        """Send a frame about a run; return when it was handled, raise if it was refused."""
        command = self._told(lambda: self._state.command(run, frame))
        while not command.handled and not run.settled:
            self.pump(lambda: command.handled or run.settled)
        if command.error is not None:
            raise command.error

    def close(self) -> None:
        """Close the connection; runs go on, and can be followed again."""
        self._closed = True
        self._socket = None
        self._opened.close()

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
        self._require_open()
        with self._sending:
            run = begin()
            if self._socket is not None:
                self._send(list(self._state.frames_of(run)))
        self._in_turn(lambda: self._socket is not None, self._connect)
        return LiveRun(self, run)

    def _told(self, tell: Callable[[], tuple[Command, list[str]]]) -> Command:
        """Note a command and send it, in the same order for all threads: a pong says which."""
        with self._sending:
            command, frames = tell()
            self._send(frames)
        return command

    def _require_open(self) -> None:
        if self._closed:
            raise SessionClosed("The session was closed: open another.")

    def _connect(self) -> None:
        """Connect, and say where every run was. Raises what the state makes of failures."""
        while True:
            self._require_open()
            url, options = socket_url(self._settings), connect_options(self._settings)
            try:
                opening = _Opening(url, **options)
                socket = self._opened.enter_context(opening)
            except (OSError, WebSocketException, ImportError) as problem:
                self._pause_after(refusal(self._settings, problem))
            else:
                with self._sending:
                    self._socket = socket
                    self._send(self._state.greeting())
                return

    def _pause_after(self, problem: CartritaError) -> None:
        try:
            wait = self._state.failed(problem, getattr(problem, "retry_after", None))
        except CartritaError as last:
            self._state.break_off(last)
            raise
        time.sleep(wait)

    def _send(self, frames: list[str]) -> None:
        """Send over the connection there is; after a cut the greeting says it all again."""
        socket = self._socket
        if socket is None:
            return
        try:
            for frame in frames:
                socket.send(frame)
        except (OSError, ConnectionClosed):
            return

    def pump(self, enough: Callable[[], bool]) -> None:
        """Connect, or take one frame, unless another thread has taken what is wanted."""
        self._in_turn(enough, self._take_one)

    def _in_turn(self, enough: Callable[[], bool], work: Callable[[], None]) -> None:
        """One thread works at a time; the others look after each step whether that is enough."""
        with self._turn:
            self._turn.wait_for(lambda: not self._working or enough())
            if enough():
                return
            self._working = True
        try:
            work()
        finally:
            with self._turn:
                self._working = False
                self._turn.notify_all()

    def _take_one(self) -> None:
        self._require_open()
        if self._socket is None:
            self._connect()
            return
        if self._state.next_due() == 0:
            with self._sending:
                self._send(self._state.due())
        self._receive(self._socket)

    def _receive(self, socket: ClientConnection | None) -> None:
        if socket is None:
            return
        try:
            text = socket.recv(self._state.next_due(), decode=True)
        except TimeoutError:
            return
        except ConnectionClosed as closed:
            self._reconnect_after(None if closed.rcvd is None else closed.rcvd.code)
        else:
            self._state.take(text)

    def _reconnect_after(self, code: int | None) -> None:
        self._socket = None
        self._opened.close()
        self._require_open()
        try:
            wait = self._state.closed(code)
        except CartritaError as last:
            self._state.break_off(last)
            raise
        if self._state.wanted:
            time.sleep(wait)


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

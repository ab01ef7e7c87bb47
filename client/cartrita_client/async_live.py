"""A live session over a WebSocket, for asyncio."""

from __future__ import annotations

import asyncio
import json
from asyncio import Lock
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, Unpack

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

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


class _Opening(connect):
    """A connection to the very address that was given: a key is not carried to another."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        """Take a redirect for the refusal that it is."""
        return exc


class AsyncLiveSession:
    """Several answers over one connection, which comes back by itself where each of them was.

    Messages wait in an outbox until the server has stored them, and are stored once. Frames are
    read while a run's events are iterated over; tasks may do that with a run each.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._state = state_of(settings)
        self._opened = AsyncExitStack()
        self._socket: ClientConnection | None = None
        self._reading = Lock()
        self._sending = Lock()
        self._closed = False

    async def chat(self, message: str, **fields: Unpack[ChatFields]) -> AsyncLiveRun:
        """Say something; iterate over what is returned for the events of the answer."""
        return await self._begun(lambda: self._state.say({"message": message, **fields}))

    async def follow(self, run_id: str, *, after: int = 0) -> AsyncLiveRun:
        """The events of a run behind one that was received, then those to come."""
        return await self._begun(lambda: self._state.follow(run_id, after))

    async def ping(self) -> None:
        """Return when the server has answered."""
        self._require_open()
        command = await self._told(self._state.ping)
        while not command.handled:
            await self.pump(lambda: command.handled)

    async def send_soon(self, frame: dict[str, Any]) -> None:
        """Send a frame that nothing depends on, if there is a connection."""
        async with self._sending:
            await self._send([json.dumps(frame)])

    async def command(self, run: RunState, frame: dict[str, Any]) -> None:
        """Send a frame about a run; return when it was handled, raise if it was refused."""
        command = await self._told(lambda: self._state.command(run, frame))
        while not command.handled and not run.settled:
            await self.pump(lambda: command.handled or run.settled)
        if command.error is not None:
            raise command.error

    async def close(self) -> None:
        """Close the connection; runs go on, and can be followed again."""
        self._closed = True
        self._socket = None
        await self._opened.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def _begun(self, begin: Callable[[], RunState]) -> AsyncLiveRun:
        self._require_open()
        async with self._sending:
            run = begin()
            if self._socket is not None:
                await self._send(list(self._state.frames_of(run)))
        await self._ensure_connected()
        return AsyncLiveRun(self, run)

    async def _told(self, tell: Callable[[], tuple[Command, list[str]]]) -> Command:
        """Note a command and send it, in the same order for all tasks: a pong says which."""
        async with self._sending:
            command, frames = tell()
            await self._send(frames)
        return command

    def _require_open(self) -> None:
        if self._closed:
            raise SessionClosed("The session was closed: open another.")

    async def _ensure_connected(self) -> None:
        if self._socket is not None:
            return
        async with self._reading:
            if self._socket is None:
                await self._connect()

    async def _connect(self) -> None:
        """Connect, and say where every run was. Raises what the state makes of failures."""
        while True:
            self._require_open()
            opening = _Opening(socket_url(self._settings), **connect_options(self._settings))
            try:
                socket = await self._opened.enter_async_context(opening)
            except (OSError, WebSocketException, ImportError) as problem:
                await self._pause_after(refusal(self._settings, problem))
            else:
                async with self._sending:
                    self._socket = socket
                    await self._send(self._state.greeting())
                return

    async def _pause_after(self, problem: CartritaError) -> None:
        try:
            wait = self._state.failed(problem, getattr(problem, "retry_after", None))
        except CartritaError as last:
            self._state.break_off(last)
            raise
        await asyncio.sleep(wait)

    async def _send(self, frames: list[str]) -> None:
        """Send over the connection there is; after a cut the greeting says it all again."""
        socket = self._socket
        if socket is None:
            return
        try:
            for frame in frames:
                await socket.send(frame)
        except (OSError, ConnectionClosed):
            return

    async def pump(self, enough: Callable[[], bool]) -> None:
        """Connect, or take one frame, unless another task has taken what is wanted."""
        async with self._reading:
            if enough():
                return
            self._require_open()
            if self._socket is None:
                await self._connect()
                return
            if self._state.next_due() == 0:
                async with self._sending:
                    await self._send(self._state.due())
            await self._receive(self._socket)

    async def _receive(self, socket: ClientConnection | None) -> None:
        if socket is None:
            return
        try:
            async with asyncio.timeout(self._state.next_due()):
                text = await socket.recv(decode=True)
        except TimeoutError:
            return
        except ConnectionClosed as closed:
            await self._reconnect_after(None if closed.rcvd is None else closed.rcvd.code)
        else:
            self._state.take(text)

    async def _reconnect_after(self, code: int | None) -> None:
        self._socket = None
        await self._opened.aclose()
        self._require_open()
        try:
            wait = self._state.closed(code)
        except CartritaError as last:
            self._state.break_off(last)
            raise
        if self._state.wanted:
            await asyncio.sleep(wait)


class AsyncLiveRun:
    """An answer on a live session: iterate over it for the events."""

    def __init__(self, session: AsyncLiveSession, run: RunState) -> None:
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

    async def text(self) -> AsyncIterator[str]:
        """The text of the answer, piece by piece. Raises the error of a run that fails."""
        told = ToldText()
        async for event in self:
            if piece := told.new_in(event):
                yield piece
        if self._run.error is not None:
            raise self._run.error

    async def final(self) -> DoneData:
        """Read to the end; what the last event says. Raises the error of a run that fails."""
        async for _ in self:
            pass
        return final_of(self._run)

    async def cancel(self) -> None:
        """Cancel the run, and return when the server has taken that; the last event tells it."""
        await self._do({"type": "cancel"})

    async def approve(self, approval: ApprovalRequiredData, decision: str = "approve") -> None:
        """Decide on a call that the run waits for. Raises if the decision is not taken."""
        await self._do(
            {
                "type": "approve",
                "approval_id": approval.approval_id,
                "decision": decision,
                "arguments_hash": approval.arguments_hash,
            }
        )

    async def ack(self) -> None:
        """Tell the server how far this reader is."""
        frame = {"type": "ack", "run_id": self._run.run_id, "seq": self._run.seq}
        await self._session.send_soon(frame)

    def __aiter__(self) -> AsyncIterator[ChatEvent]:
        return self

    async def __anext__(self) -> ChatEvent:
        while not self._run.unread:
            if self._run.broken is not None:
                raise self._run.broken
            if self._run.ended:
                raise StopAsyncIteration
            await self._session.pump(self._is_ready)
        return self._run.unread.popleft()

    def _is_ready(self) -> bool:
        return bool(self._run.unread) or self._run.settled

    async def _do(self, frame: dict[str, Any]) -> None:
        while not self._run.run_id and not self._run.settled:
            await self._session.pump(lambda: bool(self._run.run_id))
        if self._run.broken is not None:
            raise self._run.broken
        if not self._run.ended:
            await self._session.command(self._run, frame)

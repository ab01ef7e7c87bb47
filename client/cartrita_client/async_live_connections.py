"""The connection of a live session for asyncio: it comes back by itself."""

from __future__ import annotations

import asyncio
from asyncio import Lock
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack
from typing import TypeVar

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from cartrita_client.errors import CartritaError, SessionClosed
from cartrita_client.settings import Settings
from cartrita_client.sockets import ConnectionState, Frame, connect_options, refusal

T = TypeVar("T")


class _Opening(connect):
    """A connection to the very address that was given: a key is not carried to another."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        """Take a redirect for the refusal that it is."""
        return exc


class AsyncLiveConnection:
    """Sends what a session says, and has its state take what comes; tasks may share it."""

    def __init__(self, settings: Settings, state: ConnectionState, path: str) -> None:
        self._settings = settings
        self._state = state
        self._path = path
        self._opened = AsyncExitStack()
        self._socket: ClientConnection | None = None
        self._reading = Lock()
        self._sending = Lock()
        self._closed = False
        self._greeted = False

    @property
    def has_opened(self) -> bool:
        """Whether it was open once."""
        return self._greeted

    @property
    def is_closed(self) -> bool:
        """Whether it was closed here."""
        return self._closed

    async def say(self, tell: Callable[[], tuple[T, Iterable[Frame]]]) -> T:
        """Note something and send it, in the same order for all tasks: a pong says which.

        While there is no connection, what was noted is sent by the greeting of the next.
        """
        async with self._sending:
            told, frames = tell()
            await self._send(frames)
        return told

    async def ensure_open(self) -> None:
        """Connect, if it is not. Raises CartritaError."""
        self._require_open()
        if self._socket is not None:
            return
        async with self._reading:
            if self._socket is None:
                await self._connect()

    async def pump(self, enough: Callable[[], bool]) -> None:
        """Connect, or take one frame, unless another task has taken what is wanted."""
        async with self._reading:
            if not enough():
                await self._take_one()

    async def close(self) -> None:
        """Close the connection; runs go on, and can be followed again."""
        self._closed = True
        await self._leave()

    def _require_open(self) -> None:
        if self._closed:
            raise SessionClosed("The session was closed: open another.")

    async def _connect(self) -> None:
        """Connect, and say where everything was. Raises what the state makes of failures."""
        while True:
            self._require_open()
            url = self._settings.address.socket(self._path)
            opened = AsyncExitStack()
            try:
                opening = _Opening(url, **connect_options(self._settings))
                socket = await opened.enter_async_context(opening)
            except (OSError, WebSocketException, ImportError) as problem:
                await self._pause_after(refusal(self._settings, problem))
            else:
                async with opened:
                    await self._greet(socket, opened)
                self._require_open()
                return

    async def _greet(self, socket: ClientConnection, opened: AsyncExitStack) -> None:
        """Keep a new connection, unless the session was closed while it was opened."""
        async with self._sending:
            if self._closed:
                return
            self._opened = opened.pop_all()
            self._socket, self._greeted = socket, True
            await self._send(self._state.greeting())

    async def _leave(self) -> None:
        """Close the connection that is open, if one is."""
        self._socket = None
        opened = self._opened.pop_all()
        await opened.aclose()

    async def _pause_after(self, problem: CartritaError) -> None:
        try:
            wait = self._state.failed(problem, getattr(problem, "retry_after", None))
        except CartritaError as last:
            self._state.break_off(last)
            raise
        await asyncio.sleep(wait)

    async def _send(self, frames: Iterable[Frame]) -> None:
        """Send over the connection there is; after a cut the greeting says it all again."""
        socket = self._socket
        if socket is None:
            return
        try:
            for frame in frames:
                await socket.send(frame)
        except (OSError, ConnectionClosed):
            return

    async def _take_one(self) -> None:
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
                content = await socket.recv()
        except TimeoutError:
            return
        except ConnectionClosed as closed:
            await self._reconnect_after(None if closed.rcvd is None else closed.rcvd.code)
        else:
            self._state.take(content)

    async def _reconnect_after(self, code: int | None) -> None:
        await self._leave()
        self._require_open()
        try:
            wait = self._state.closed(code)
        except CartritaError as last:
            self._state.break_off(last)
            raise
        if self._state.wanted:
            await asyncio.sleep(wait)

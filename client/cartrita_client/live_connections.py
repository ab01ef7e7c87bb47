"""The connection of a live session for programs that block: it comes back by itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from socket import socket
from ssl import SSLSocket
from threading import Condition, Lock
from typing import TypeVar, cast

from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import ClientConnection, reconnect
from websockets.sync.utils import Deadline

from cartrita_client.errors import CartritaError, SessionClosed
from cartrita_client.settings import Settings
from cartrita_client.sockets import ConnectionState, Frame, connect_options, refusal
from cartrita_client.tls_sockets import SharedTlsSocket

T = TypeVar("T")


class _Opening(reconnect):
    """A connection to the very address that was given: a key is not carried to another."""

    def enable_tls(self, sock: socket, deadline: Deadline) -> socket:
        """Have TLS for the threads that `websockets` reads and writes with."""
        secured = super().enable_tls(sock, deadline)
        if not isinstance(secured, SSLSocket):  # TLS within that of a proxy
            return secured
        return cast("socket", SharedTlsSocket(secured))

    def process_redirect(self, exc: Exception) -> Exception | str:
        """Take a redirect for the refusal that it is."""
        return exc


class LiveConnection:
    """Sends what a session says, and has its state take what comes; threads may share it."""

    def __init__(self, settings: Settings, state: ConnectionState, path: str) -> None:
        self._settings = settings
        self._state = state
        self._path = path
        self._opened = ExitStack()
        self._socket: ClientConnection | None = None
        self._turn = Condition()
        self._working = False
        self._sending = Lock()
        self._changing = Lock()
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

    def say(self, tell: Callable[[], tuple[T, Iterable[Frame]]]) -> T:
        """Note something and send it, in the same order for all threads: a pong says which.

        While there is no connection, what was noted is sent by the greeting of the next.
        """
        with self._sending:
            told, frames = tell()
            self._send(frames)
        return told

    def ensure_open(self) -> None:
        """Connect, if it is not. Raises CartritaError."""
        self._require_open()
        self._in_turn(lambda: self._socket is not None, self._connect)

    def pump(self, enough: Callable[[], bool]) -> None:
        """Connect, or take one frame, unless another thread has taken what is wanted."""
        self._in_turn(enough, self._take_one)

    def close(self) -> None:
        """Close the connection; runs go on, and can be followed again."""
        with self._changing:
            self._closed = True
        self._leave()

    def _require_open(self) -> None:
        if self._closed:
            raise SessionClosed("The session was closed: open another.")

    def _connect(self) -> None:
        """Connect, and say where everything was. Raises what the state makes of failures."""
        while True:
            self._require_open()
            url = self._settings.address.socket(self._path)
            opened = ExitStack()
            try:
                opening = _Opening(url, **connect_options(self._settings))
                socket = opened.enter_context(opening)
            except (OSError, WebSocketException, ImportError) as problem:
                self._pause_after(refusal(self._settings, problem))
            else:
                with opened:
                    self._greet(socket, opened)
                self._require_open()
                return

    def _greet(self, socket: ClientConnection, opened: ExitStack) -> None:
        """Keep a new connection, unless the session was closed while it was opened."""
        with self._sending:
            with self._changing:
                if self._closed:
                    return
                self._opened = opened.pop_all()
                self._socket, self._greeted = socket, True
            self._send(self._state.greeting())

    def _leave(self) -> None:
        """Close the connection that is open, if one is."""
        with self._changing:
            self._socket = None
            opened = self._opened.pop_all()
        opened.close()

    def _pause_after(self, problem: CartritaError) -> None:
        try:
            wait = self._state.failed(problem, getattr(problem, "retry_after", None))
        except CartritaError as last:
            self._state.break_off(last)
            raise
        time.sleep(wait)

    def _send(self, frames: Iterable[Frame]) -> None:
        """Send over the connection there is; after a cut the greeting says it all again."""
        socket = self._socket
        if socket is None:
            return
        try:
            for frame in frames:
                socket.send(frame)
        except (OSError, ConnectionClosed):
            return

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
            content = socket.recv(self._state.next_due())
        except TimeoutError:
            return
        except ConnectionClosed as closed:
            self._reconnect_after(None if closed.rcvd is None else closed.rcvd.code)
        else:
            self._state.take(content)

    def _reconnect_after(self, code: int | None) -> None:
        self._leave()
        self._require_open()
        try:
            wait = self._state.closed(code)
        except CartritaError as last:
            self._state.break_off(last)
            raise
        if self._state.wanted:
            time.sleep(wait)

"""A TLS socket that one thread may read while another writes."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from selectors import EVENT_READ, EVENT_WRITE, DefaultSelector
from ssl import SSLSocket, SSLWantReadError, SSLWantWriteError
from threading import Condition, Lock
from time import monotonic
from typing import Any, TypeVar

T = TypeVar("T")


class SharedTlsSocket:
    """What `websockets` uses of a socket, for two threads over one TLS session.

    A session of OpenSSL takes one call at a time, and `SSLSocket` does not see to it: a record that
    was read while another was written ended in lost bytes, or in a connection that hung. Each call
    has the session to itself here, and none waits in it for the network.
    """

    def __init__(self, secured: SSLSocket) -> None:
        """Take over a socket whose handshake is done."""
        secured.setblocking(False)
        self._socket = secured
        self._session = Lock()
        self._waiting = 0
        self._left = Condition()
        self._timeout: float | None = None

    def recv(self, size: int) -> bytes:
        """Up to so many bytes once there are any, and none at the end. Raises OSError."""
        return self._alone(partial(self._socket.recv, size), None)

    def sendall(self, data: bytes | bytearray | memoryview) -> None:
        """Write all of it. Raises TimeoutError, or another OSError."""
        deadline = None if self._timeout is None else monotonic() + self._timeout
        rest = memoryview(data).cast("B")
        while rest:
            rest = rest[self._alone(partial(self._socket.send, rest), deadline) :]

    def settimeout(self, timeout: float | None) -> None:
        """Let each write take so many seconds; None lets it take as long as it does."""
        self._timeout = timeout

    def shutdown(self, how: int) -> None:
        """End a direction, or both: what still comes is TLS. Raises OSError."""
        socket.socket.shutdown(self._socket, how)

    def close(self) -> None:
        """Wake whoever waits for it, and close it after they have left: no sooner, as a descriptor
        that is closed under them would never wake them.
        """
        with suppress(OSError):
            self.shutdown(socket.SHUT_RDWR)
        with self._left:
            self._left.wait_for(lambda: not self._waiting)
        with self._session:
            self._socket.close()

    def fileno(self) -> int:
        """The descriptor to wait on."""
        return self._socket.fileno()

    def getsockname(self) -> Any:
        """The address on this side."""
        return self._socket.getsockname()

    def getpeername(self) -> Any:
        """The address on the other side."""
        return self._socket.getpeername()

    def _alone(self, act: Callable[[], T], deadline: float | None) -> T:
        """Try until it is done, and wait in between while the session is free for others."""
        while True:
            try:
                with self._session:
                    return act()
            except SSLWantReadError:
                awaited = EVENT_READ
            except SSLWantWriteError:
                awaited = EVENT_WRITE
            self._wait(awaited, deadline)

    def _wait(self, awaited: int, deadline: float | None) -> None:
        with self._left:
            self._waiting += 1
        try:
            with DefaultSelector() as waiting:
                waiting.register(self._socket, awaited)
                if not waiting.select(None if deadline is None else deadline - monotonic()):
                    raise TimeoutError("The connection took no more bytes in time.")
        except ValueError as closed:
            raise ConnectionAbortedError("The connection was closed here.") from closed
        finally:
            with self._left:
                self._waiting -= 1
                self._left.notify_all()

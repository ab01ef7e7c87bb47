"""Servers that answer every request with a trick: without end, too slowly, or by far too much."""

import socket
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import repeat
from typing import TypeAlias

Trick: TypeAlias = Callable[[], Iterator[bytes]]
_PIECE = b"x" * (64 << 10)
_DRIP_S = 0.02


@dataclass
class HostileServer:
    """The running one, and how much it was able to send."""

    port: int
    answers: int = 0
    sent: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def answer(body: bytes, *headers: str, status: int = 200) -> bytes:
    """A whole answer."""
    lines = [f"HTTP/1.1 {status} X", f"content-length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def endless_body() -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    yield from repeat(b"10000\r\n" + _PIECE + b"\r\n")


def endless_head() -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\nx: "
    yield from repeat(_PIECE)


def dripping_body() -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\ncontent-length: 100000000\r\n\r\n"
    yield from repeat(b"x")


def dripping_head() -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\n"
    yield from repeat(b"x-more: x\r\n")


def endless_continue() -> Iterator[bytes]:
    yield from repeat(b"HTTP/1.1 100 Continue\r\n\r\n")


@contextmanager
def hostile_server(trick: Trick) -> Generator[HostileServer]:
    """Run one for the length of the block."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = HostileServer(listening.getsockname()[1])
    threads: list[threading.Thread] = []

    def accept() -> None:
        while True:
            connection, _ = listening.accept()
            if server.over.is_set():
                connection.close()
                return
            thread = threading.Thread(target=_serve, args=(server, connection, trick))
            threads.append(thread)
            thread.start()

    accepting = threading.Thread(target=accept)
    accepting.start()
    try:
        yield server
    finally:
        server.over.set()
        socket.create_connection(("127.0.0.1", server.port)).close()
        for one in (accepting, *threads):
            one.join()
        listening.close()


def _serve(server: HostileServer, connection: socket.socket, trick: Trick) -> None:
    connection.settimeout(0.1)
    with connection, suppress(ConnectionError):
        while _asked(server, connection):
            server.answers += 1
            for piece in trick():
                if not _sent(server, connection, piece):
                    return


def _asked(server: HostileServer, connection: socket.socket) -> bool:
    """Whether a request came, which is read to its end."""
    received = b""
    while True:
        head, end, body = received.partition(b"\r\n\r\n")
        if end and len(body) >= _length(head):
            return True
        try:
            piece = connection.recv(64 << 10)
        except TimeoutError:
            if server.over.is_set():
                return False
            continue
        if not piece:
            return False
        received += piece


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name == b"content-length":
            return int(value)
    return 0


def _sent(server: HostileServer, connection: socket.socket, piece: bytes) -> bool:
    """Whether it was taken, by whomever that may be."""
    if len(piece) < 100 and server.over.wait(_DRIP_S):
        return False
    while piece:
        if server.over.is_set():
            return False
        try:
            count = connection.send(piece)
        except TimeoutError:
            continue
        server.sent += count
        piece = piece[count:]
    return True

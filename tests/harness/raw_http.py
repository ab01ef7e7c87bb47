"""An HTTP/1.1 client over a raw socket, which shows the received bytes and how the body ended."""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import Self

HOST = "127.0.0.1"
_STEP = 65536
_SLOW_BUFFER = 2048


class Cut(ConnectionError):
    """The connection ended before the answer did."""


class Answer:
    """One response; its body is read as it arrives, a few bytes at a time if that is wanted."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._buffer = b""
        self.step = _STEP
        self.status = 0
        self.headers: dict[str, str] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave at once, as a closed browser tab does."""
        self._writer.transport.abort()

    async def read_head(self) -> None:
        while b"\r\n\r\n" not in self._buffer:
            await self._more()
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        self.status = int(first.split(" ", 2)[1])
        pairs = (line.partition(":") for line in lines)
        self.headers = {name.strip().lower(): value.strip() for name, _, value in pairs}

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body's bytes without its framing; raises Cut where it ends before its end."""
        if self.status == 204:
            return
        if self.headers.get("transfer-encoding", "").lower() == "chunked":
            async for piece in self._chunked():
                yield piece
            return
        left = int(self.headers.get("content-length", "-1"))
        while left != 0:
            if not self._buffer:
                try:
                    await self._more()
                except Cut:
                    if left > 0:
                        raise
                    return
            piece, self._buffer = self._buffer, b""
            left -= len(piece) if left > 0 else 0
            yield piece

    async def body(self) -> bytes:
        return b"".join([piece async for piece in self.chunks()])

    async def _chunked(self) -> AsyncIterator[bytes]:
        while True:
            while b"\r\n" not in self._buffer:
                await self._more()
            size, _, self._buffer = self._buffer.partition(b"\r\n")
            left = int(size.split(b";")[0], 16)
            if left == 0:
                return
            while left:
                if not self._buffer:
                    await self._more()
                piece, self._buffer = self._buffer[:left], self._buffer[left:]
                left -= len(piece)
                yield piece
            while len(self._buffer) < 2:
                await self._more()
            self._buffer = self._buffer[2:]

    async def _more(self) -> None:
        try:
            data = await self._reader.read(self.step)
        except OSError as problem:
            raise Cut(str(problem)) from problem
        if not data:
            raise Cut("the connection was closed")
        self._buffer += data


async def request(
    port: int,
    method: str,
    target: str,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    *,
    slow: bool = False,
    address: str = HOST,
) -> Answer:
    """Send one request and read the head of its answer; raises ConnectionError where nobody is.

    It comes from `address`, of which all that begin with 127 are this machine's.

    `slow` keeps the receive buffers of the kernel and of this process minimal, so that a slow
    reader causes back-pressure at the sender.
    """
    connection = socket.socket()
    connection.setblocking(False)
    if slow:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SLOW_BUFFER)
    try:
        if address != HOST:
            connection.bind((address, 0))
        await asyncio.get_running_loop().sock_connect(connection, (HOST, port))
        limit = _SLOW_BUFFER if slow else _STEP
        reader, writer = await asyncio.open_connection(sock=connection, limit=limit)
    except BaseException:
        connection.close()
        raise
    answer = Answer(reader, writer)
    try:
        writer.write(_request(port, method, target, headers or {}, body))
        with suppress(ConnectionError):  # an answer may have come before the request went out
            await writer.drain()
        await answer.read_head()
    except BaseException:
        answer.close()
        raise
    return answer


def _request(port: int, method: str, target: str, headers: Mapping[str, str], body: bytes) -> bytes:
    lines = [f"{method} {target} HTTP/1.1", f"Host: {HOST}:{port}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body or method == "POST":
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body

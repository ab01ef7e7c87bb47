"""Clients of event streams that cost little: a request, and what arrives when, to its end."""

import asyncio
import re
import time
from collections.abc import Iterator
from typing import cast

from tests.harness.raw_http import HOST
from tests.harness.server import KEY

_STAMP = re.compile(rb"@(\d+\.\d{6})")
_END = b"0\r\n\r\n"
_WATCHDOG_S = 60.0


class Refused(Exception):
    """The server answered, but not with a stream."""


class Reading(asyncio.Protocol):
    """One request. `waits` are (moment of arrival, seconds since it was sent) for each token;
    `beginning` is what came before the second frame."""

    def __init__(self, request: bytes, words: re.Pattern[bytes]) -> None:
        self._request = request
        self._words = words
        self._rest = b""
        self.waits: list[tuple[float, float]] = []
        self.first: float | None = None
        self.status = 0
        self.beginning = b""
        loop = asyncio.get_running_loop()
        self.begun: asyncio.Future[None] = loop.create_future()
        self.over: asyncio.Future[None] = loop.create_future()
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.sent = time.monotonic()
        self.transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        now = time.monotonic()
        if not self.status:
            self.status = int(data[9:12])
        if self.status != 200:
            self._fail(Refused(f"A stream was answered {self.status}."))
            return
        *frames, self._rest = (self._rest + data).split(b"\n\n")
        for stamp in _stamps(frames, self._words):
            self.waits.append((now, now - stamp))
        if self.waits and self.first is None:
            self.first = now - self.sent
        if not self.begun.done():
            self.beginning += data
            if self.beginning.count(b"\n\n") > 1:
                self.begun.set_result(None)
        if self._rest.endswith(_END) and not self.over.done():
            self.over.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(ConnectionError(f"The stream was cut after {self._rest[-200:]!r}."))

    def _fail(self, error: Exception) -> None:
        for waiting in (self.begun, self.over):
            if not waiting.done():
                waiting.set_exception(error)
                waiting.exception()  # seen, also where nobody waits for it

    def close(self) -> None:
        """Leave, as a closed tab does."""
        self.begun.cancel()
        self.over.cancel()
        if self.transport is not None:
            self.transport.abort()


def _stamps(frames: list[bytes], words: re.Pattern[bytes]) -> Iterator[float]:
    for frame in frames:
        for found in words.findall(frame):
            for stamp in _STAMP.findall(found):
                yield float(stamp)


def post(port: int, path: str, body: bytes) -> bytes:
    """A request with the harness' key, both as we and as the provider want it."""
    lines = [
        f"POST {path} HTTP/1.1",
        f"Host: {HOST}:{port}",
        f"Authorization: Bearer {KEY}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def get(port: int, path: str) -> bytes:
    """The same for what is only read."""
    lines = [f"GET {path} HTTP/1.1", f"Host: {HOST}:{port}", f"Authorization: Bearer {KEY}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


async def opened(port: int, request: bytes, words: re.Pattern[bytes]) -> Reading:
    """Connect and send; arrivals are written down by themselves."""
    loop = asyncio.get_running_loop()
    _, reading = await loop.create_connection(lambda: Reading(request, words), HOST, port)
    return reading


async def finished(port: int, request: bytes, words: re.Pattern[bytes]) -> Reading:
    """Read one stream to its end. Raises Refused, ConnectionError and TimeoutError."""
    reading = await opened(port, request, words)
    try:
        async with asyncio.timeout(_WATCHDOG_S):
            await reading.over
    finally:
        reading.close()
    return reading

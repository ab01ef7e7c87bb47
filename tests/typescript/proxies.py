"""Proxies between client and server that do what networks do: cut, hold back, refuse."""

import asyncio
import re
import threading
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from tests.harness.raw_http import HOST

_WATCHDOG_S = 60.0
_SSE_EVENT = re.compile(rb"\ndata: [^\n]*\n\n")
_STREAMED = b"content-type: text/event-stream"
_UPGRADED = b" 101 "
T = TypeVar("T")


class Cut(Exception):
    """The connection ends here, after what is still let through."""

    def __init__(self, last: bytes = b"") -> None:
        self.last = last


class Passage:
    """One connection through a proxy: what it makes of the bytes of both sides."""

    def asked(self, octets: bytes) -> bytes:
        """What of the client's bytes goes on to the server. Raises Cut."""
        return octets

    def answered(self, octets: bytes) -> bytes:
        """What of the server's bytes goes on to the client. Raises Cut."""
        return octets


class CutAfter:
    """Cuts the first connection that brings events, after so many of them; later ones pass."""

    def __init__(self, events: int) -> None:
        self.events = events
        self.cuts = 0

    def passage(self) -> Passage:
        return _Counted(self)


class _Counted(Passage):
    def __init__(self, rule: CutAfter) -> None:
        self._rule = rule
        self._seen = b""

    def answered(self, octets: bytes) -> bytes:
        passed = len(self._seen)
        self._seen += octets
        end = self._end()
        if self._rule.cuts or end is None:
            return octets
        self._rule.cuts += 1
        raise Cut(self._seen[passed:end])

    def _end(self) -> int | None:
        """Where the last event ends that may pass, once it is there."""
        head, separator, _ = self._seen.lower().partition(b"\r\n\r\n")
        if not separator or not (_STREAMED in head or _UPGRADED in head):
            return None
        start = len(head) + len(separator)
        ends = _socket_ends if _UPGRADED in head else _sse_ends
        found = [start, *ends(self._seen, start)]
        return found[self._rule.events] if len(found) > self._rule.events else None


def _sse_ends(octets: bytes, start: int) -> list[int]:
    return [each.end() for each in _SSE_EVENT.finditer(octets, start)]


def _socket_ends(octets: bytes, start: int) -> list[int]:
    """Where the frames of a WebSocket end that bring an event; servers mask nothing."""
    ends: list[int] = []
    at = start
    while at + 4 <= len(octets):
        length, size = octets[at + 1] & 127, 2
        if length == 126:
            length, size = int.from_bytes(octets[at + 2 : at + 4]), 4
        end = at + size + length
        if end > len(octets):
            break
        if b'"event"' in octets[at + size : end]:
            ends.append(end)
        at = end
    return ends


class Buffering(Passage):
    """Holds an event stream back until it has ended, and lets no WebSocket be opened if told so."""

    def __init__(self, *, sockets: bool) -> None:
        self._sockets = sockets
        self._held = b""

    def asked(self, octets: bytes) -> bytes:
        if octets.startswith(b"GET /ws/") and not self._sockets:
            raise Cut
        return octets

    def answered(self, octets: bytes) -> bytes:
        if not self._held and _STREAMED not in octets.lower():
            return octets
        self._held += octets
        if not self._held.endswith(b"\r\n0\r\n\r\n"):
            return b""
        whole, self._held = self._held, b""
        return whole


class Proxy:
    """Forwards between a port of its own and the server's, each connection by a new passage."""

    def __init__(self, target: int, passage: Callable[[], Passage]) -> None:
        self._target = target
        self._passage = passage
        self.connections = 0
        self.port = 0

    @property
    def base(self) -> str:
        return f"http://{HOST}:{self.port}"

    async def open(self) -> asyncio.Server:
        server = await asyncio.start_server(self._forward, HOST, 0)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        passage = self._passage()
        from_server, to_server = await asyncio.open_connection(HOST, self._target)
        ways = [
            asyncio.ensure_future(_copy(reader, to_server, passage.asked)),
            asyncio.ensure_future(_copy(from_server, writer, passage.answered)),
        ]
        try:
            with suppress(asyncio.CancelledError):  # the test has ended
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in ways:
                each.cancel()
            writer.close()
            to_server.close()


async def _copy(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, let: Callable[[bytes], bytes]
) -> None:
    with suppress(OSError):
        while octets := await reader.read(1 << 16):
            try:
                writer.write(let(octets))
            except Cut as cut:
                writer.write(cut.last)
                await writer.drain()
                return
            await writer.drain()


class Network:
    """A loop of its own in which proxies run beside the test."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._servers: list[asyncio.Server] = []
        self._thread.start()

    def proxy(self, target: int, passage: Callable[[], Passage]) -> Proxy:
        """A proxy that listens."""
        made = Proxy(target, passage)
        self.listen(made.open())
        return made

    def listen(self, opening: Coroutine[Any, Any, asyncio.Server]) -> asyncio.Server:
        """A server that listens until the network is closed."""
        server = self._do(opening)
        self._servers.append(server)
        return server

    def close(self) -> None:
        self._do(self._closed())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_WATCHDOG_S)
        self._loop.close()

    async def _closed(self) -> None:
        for server in self._servers:
            server.close()
        mine = asyncio.current_task()
        others = [task for task in asyncio.all_tasks() if task is not mine]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_WATCHDOG_S)


@contextmanager
def network() -> Generator[Network]:
    """A network, closed at the end."""
    made = Network()
    try:
        yield made
    finally:
        made.close()

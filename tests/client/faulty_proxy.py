"""A proxy that does to a stream what networks do, and counts what passes."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from tests.browser.tcp_proxy import TcpProxy

_LAST_CHUNK = b"\r\n0\r\n\r\n"


@dataclass(slots=True)
class Fault:
    """Each connection is cut once its answer has held so many events, and some bytes more.

    `times` is how many connections are; None cuts none. `hold` lets nothing of an answer pass
    before it is whole, `stall` nothing more once it has begun.
    """

    events: int | None = None
    more: int = 0
    times: int = 1
    hold: bool = False
    stall: bool = False
    requests: list[bytes] = field(default_factory=list[bytes])


class FaultyProxy(TcpProxy):
    """Forwards bytes, as its `fault` allows."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.fault = Fault()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._forwarding.add(asyncio.current_task())
        from_target, to_target = await asyncio.open_connection("127.0.0.1", self._target)
        mine = {writer, to_target}
        self._writers |= mine
        try:
            async with asyncio.TaskGroup() as tasks:
                there = tasks.create_task(self._ask(reader, to_target))
                await self._answer(from_target, writer)
                there.cancel()
        finally:
            for each in mine:
                each.transport.abort()
            self._writers -= mine
            self._forwarding.discard(asyncio.current_task())

    async def _ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while octets := await reader.read(1 << 16):
                self.fault.requests.append(octets)
                writer.write(octets)
                await writer.drain()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        fault, passed = self.fault, b""
        with suppress(OSError):
            while octets := await reader.read(1 << 16):
                passed += octets
                if (end := _end_of(passed, fault)) is not None and fault.times > 0:
                    fault.times -= 1
                    writer.write(octets[: max(0, len(octets) - (len(passed) - end))])
                    await writer.drain()
                    await self._wait(reader, fault.stall)
                    return
                if fault.hold and not passed.endswith(_LAST_CHUNK):
                    continue
                writer.write(passed if fault.hold else octets)
                await writer.drain()

    async def _wait(self, reader: asyncio.StreamReader, stalled: bool) -> None:
        """Swallow the rest, where the stream is to stall."""
        while stalled and await reader.read(1 << 16):
            pass


def _end_of(passed: bytes, fault: Fault) -> int | None:
    """Where the events that may pass end, if all of them are there."""
    if fault.events is None or b"text/event-stream" not in passed:
        return None
    place = passed.index(b"\r\n\r\n") + 4
    for _ in range(fault.events):
        event = passed.find(b"\ndata: ", place)
        place = passed.find(b"\n\n", event) + 2 if event >= 0 else 1
        if place == 1:
            return None
    return place + fault.more if len(passed) >= place + fault.more else None


@contextmanager
def faulty_proxy(port: int) -> Generator[FaultyProxy]:
    """A proxy to a port of this machine."""
    made = FaultyProxy(port)
    made.open()
    try:
        yield made
    finally:
        made.close()

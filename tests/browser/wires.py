"""A wire between browser and server that can be cut: a TCP proxy that resets at will."""

import asyncio
import threading
from collections.abc import Coroutine, Generator
from contextlib import contextmanager, suppress

_WATCHDOG_S = 60.0


class Wire:
    """Passes bytes on. While it is cut, everything is reset and nobody is let in."""

    def __init__(self, port: int) -> None:
        self._there = port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._writers: set[asyncio.StreamWriter] = set()
        self._carrying: set[asyncio.Task[None] | None] = set()
        self._server: asyncio.Server | None = None
        self.port = 0

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def open(self) -> None:
        self._thread.start()
        self.mend()

    def cut(self) -> None:
        """Reset every connection and refuse new ones."""
        self._do(self._cut())

    def mend(self) -> None:
        """Let connections in, on the port that it had before."""
        self._do(self._listen())

    def close(self) -> None:
        self.cut()
        self._do(self._drained())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_WATCHDOG_S)
        self._loop.close()

    def _do(self, work: Coroutine[None, None, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(_WATCHDOG_S)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _cut(self) -> None:
        if self._server is not None:
            self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()

    async def _drained(self) -> None:
        if tasks := {task for task in self._carrying if task is not None}:
            await asyncio.wait(tasks)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._carrying.add(asyncio.current_task())
        there, back = await asyncio.open_connection("127.0.0.1", self._there)
        mine = {writer, back}
        self._writers |= mine
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_pass(reader, back))
                tasks.create_task(_pass(there, writer))
        finally:
            for each in mine:
                each.close()
            self._writers -= mine
            self._carrying.discard(asyncio.current_task())


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while octets := await reader.read(1 << 16):
            writer.write(octets)
            await writer.drain()
        writer.write_eof()


@contextmanager
def wire(port: int) -> Generator[Wire]:
    """A wire to a port of this machine."""
    made = Wire(port)
    made.open()
    try:
        yield made
    finally:
        made.close()

"""A TCP proxy between browser and server whose connections can be reset."""

import asyncio
import threading
from collections.abc import Coroutine, Generator
from contextlib import contextmanager, suppress

_WATCHDOG_S = 60.0


class TcpProxy:
    """Forwards bytes. While it is cut, connections are reset and new ones refused."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._writers: set[asyncio.StreamWriter] = set()
        self._forwarding: set[asyncio.Task[None] | None] = set()
        self._server: asyncio.Server | None = None
        self.port = 0

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def open(self) -> None:
        self._thread.start()
        self.restore()

    def cut(self) -> None:
        """Reset every connection and refuse new ones."""
        self._do(self._cut())

    def restore(self) -> None:
        """Accept connections again, on the same port."""
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
        self._server = await asyncio.start_server(self._forward, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _cut(self) -> None:
        if self._server is not None:
            self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()

    async def _drained(self) -> None:
        if tasks := {task for task in self._forwarding if task is not None}:
            await asyncio.wait(tasks)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._forwarding.add(asyncio.current_task())
        self._writers.add(writer)  # a cut that comes now is one of this connection too
        from_target, to_target = await asyncio.open_connection("127.0.0.1", self._target)
        mine = {writer, to_target}
        self._writers |= mine
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_copy(reader, to_target))
                tasks.create_task(_copy(from_target, writer))
        finally:
            for each in mine:
                each.close()
            self._writers -= mine
            self._forwarding.discard(asyncio.current_task())


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while octets := await reader.read(1 << 16):
            writer.write(octets)
            await writer.drain()
        writer.write_eof()


@contextmanager
def tcp_proxy(port: int) -> Generator[TcpProxy]:
    """A proxy to a port of this machine."""
    made = TcpProxy(port)
    made.open()
    try:
        yield made
    finally:
        made.close()

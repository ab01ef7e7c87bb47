"""A proxy between a replica and PostgreSQL that breaks or delays chosen commits."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from enum import Enum, auto
from pathlib import Path
from typing import Self

from cartrita.adapters.postgres import DatabaseEndpoint

_CHUNK = 1 << 16


class CommitFault(Enum):
    """What the proxy does to a COMMIT."""

    NEVER_ARRIVES = auto()
    """Break the connection before it: nothing is committed."""
    ANSWER_LOST = auto()
    """Commit, and break the connection before the answer."""
    HELD = auto()
    """Hold it back until `Trap.release`: the transaction stays open."""
    ANSWER_HELD = auto()
    """Commit, and hold the answer back until `Trap.release`."""


class Trap:
    """Applies a fault to the COMMIT of the next transaction that contains `mark`."""

    def __init__(self, fault: CommitFault, mark: str) -> None:
        self.fault = fault
        self.mark = mark.encode()
        self.triggered = asyncio.Event()
        self._released = asyncio.Event()

    def release(self) -> None:
        self._released.set()

    @property
    def released(self) -> bool:
        return self._released.is_set()

    async def wait(self) -> None:
        await self._released.wait()


class _ProxiedConnection:
    """One connection of a client through the proxy."""

    def __init__(
        self, proxy: "Proxy", client: asyncio.StreamWriter, server: asyncio.StreamWriter
    ) -> None:
        self._proxy = proxy
        self._client = client
        self._server = server
        self._trap: Trap | None = None
        self._sent = b""
        """The bytes of the current transaction."""

    def cut(self) -> None:
        self._client.transport.abort()
        self._server.transport.abort()

    async def forward_requests(self, source: asyncio.StreamReader) -> None:
        while data := await source.read(_CHUNK):
            await self._proxy.flowing.wait()
            self._sent = data if data.startswith(b"Q") and b"BEGIN;" in data else self._sent + data
            if data.startswith(b"Q") and b"COMMIT;" in data:
                self._trap = self._proxy.trigger(self._sent)
            trap = self._trap
            if trap is not None and trap.fault is CommitFault.NEVER_ARRIVES:
                return
            if trap is not None and trap.fault is CommitFault.HELD:
                while not trap.released:
                    with suppress(TimeoutError):
                        async with asyncio.timeout(0.01):
                            if not (more := await source.read(_CHUNK)):
                                return
                            data += more
                self._trap = None
            self._server.write(data)

    async def forward_answers(self, source: asyncio.StreamReader) -> None:
        while data := await source.read(_CHUNK):
            await self._proxy.flowing.wait()
            trap = self._trap
            if trap is not None and trap.fault is CommitFault.ANSWER_LOST:
                trap.release()
                return
            if trap is not None and trap.fault is CommitFault.ANSWER_HELD:
                await trap.wait()
                self._trap = None
            self._client.write(data)


class Proxy:
    """Listens at `dsn` and forwards everything, except for the faults that a test sets."""

    def __init__(self, endpoint: DatabaseEndpoint, folder: Path) -> None:
        self._target = f"{endpoint.host}/.s.PGSQL.{endpoint.port}"
        self._path = folder / f".s.PGSQL.{endpoint.port}"
        self.dsn = replace(endpoint, host=str(folder)).dsn()
        self.flowing = asyncio.Event()
        """While cleared, nothing is forwarded and no connection breaks: a network partition."""
        self.flowing.set()
        self.refusing = False
        """Whether new connections are broken at once."""
        self._connections: set[_ProxiedConnection] = set()
        self._trap: Trap | None = None

    @classmethod
    @asynccontextmanager
    async def open(cls, endpoint: DatabaseEndpoint, folder: Path) -> AsyncGenerator[Self]:
        proxy = cls(endpoint, folder)
        listener = await asyncio.start_unix_server(proxy._serve, str(proxy._path))
        try:
            yield proxy
        finally:
            proxy.flowing.set()
            listener.close()
            while proxy._connections:
                proxy.cut()
                await asyncio.sleep(0)
            await listener.wait_closed()

    def trap(self, fault: CommitFault, mark: str) -> Trap:
        """Apply a fault to the COMMIT of the next transaction that contains `mark`."""
        self._trap = Trap(fault, mark)
        return self._trap

    def cut(self, *, refusing: bool = False) -> None:
        """Break every connection."""
        self.refusing = refusing
        for connection in self._connections:
            connection.cut()

    def trigger(self, data: bytes) -> Trap | None:
        trap = self._trap
        if trap is None or trap.mark not in data:
            return None
        self._trap = None
        trap.triggered.set()
        return trap

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refusing:
            writer.transport.abort()
            return
        answers, server = await asyncio.open_unix_connection(self._target)
        connection = _ProxiedConnection(self, writer, server)
        self._connections.add(connection)
        try:
            with suppress(OSError):
                async with asyncio.TaskGroup() as tasks:
                    asking = tasks.create_task(connection.forward_requests(reader))
                    answering = tasks.create_task(connection.forward_answers(answers))
                    await asyncio.wait((asking, answering), return_when=asyncio.FIRST_COMPLETED)
                    connection.cut()
                    asking.cancel()
                    answering.cancel()
        except* OSError:
            pass
        finally:
            connection.cut()
            self._connections.discard(connection)

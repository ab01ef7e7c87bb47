"""Stands between a replica and PostgreSQL, and loses what a test wants lost."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from enum import Enum, auto
from pathlib import Path
from typing import Self

from cartrita.adapters.postgres import Endpoint

_CHUNK = 1 << 16


class Fate(Enum):
    """What happens to a COMMIT."""

    NEVER_ARRIVES = auto()
    """The connection breaks before it: nothing is committed."""
    ANSWER_LOST = auto()
    """It is committed, and the connection breaks before the answer."""
    HELD = auto()
    """It waits until `Trap.release`: the transaction stays open."""
    ANSWER_HELD = auto()
    """It is committed; the answer waits until `Trap.release`."""


class Trap:
    """Springs at the COMMIT of the next transaction that says `mark`."""

    def __init__(self, fate: Fate, mark: str) -> None:
        self.fate = fate
        self.mark = mark.encode()
        self.sprung = asyncio.Event()
        self._released = asyncio.Event()

    def release(self) -> None:
        self._released.set()

    @property
    def released(self) -> bool:
        return self._released.is_set()

    async def wait(self) -> None:
        await self._released.wait()


class _Wire:
    """One connection."""

    def __init__(
        self, proxy: "Proxy", client: asyncio.StreamWriter, server: asyncio.StreamWriter
    ) -> None:
        self._proxy = proxy
        self._client = client
        self._server = server
        self._trap: Trap | None = None
        self._said = b""
        """In the present transaction."""

    def cut(self) -> None:
        self._client.transport.abort()
        self._server.transport.abort()

    async def ask(self, source: asyncio.StreamReader) -> None:
        while data := await source.read(_CHUNK):
            await self._proxy.flowing.wait()
            self._said = data if data.startswith(b"Q") and b"BEGIN;" in data else self._said + data
            if data.startswith(b"Q") and b"COMMIT;" in data:
                self._trap = self._proxy.sprung(self._said)
            trap = self._trap
            if trap is not None and trap.fate is Fate.NEVER_ARRIVES:
                return
            if trap is not None and trap.fate is Fate.HELD:
                while not trap.released:
                    with suppress(TimeoutError):
                        async with asyncio.timeout(0.01):
                            if not (more := await source.read(_CHUNK)):
                                return
                            data += more
                self._trap = None
            self._server.write(data)

    async def answer(self, source: asyncio.StreamReader) -> None:
        while data := await source.read(_CHUNK):
            await self._proxy.flowing.wait()
            trap = self._trap
            if trap is not None and trap.fate is Fate.ANSWER_LOST:
                trap.release()
                return
            if trap is not None and trap.fate is Fate.ANSWER_HELD:
                await trap.wait()
                self._trap = None
            self._client.write(data)


class Proxy:
    """Listens where `dsn` says; everything passes unless a test says otherwise."""

    def __init__(self, endpoint: Endpoint, folder: Path) -> None:
        self._target = f"{endpoint.host}/.s.PGSQL.{endpoint.port}"
        self._path = folder / f".s.PGSQL.{endpoint.port}"
        self.dsn = replace(endpoint, host=str(folder)).dsn()
        self.flowing = asyncio.Event()
        """Cleared, nothing passes and nothing breaks: a partition."""
        self.flowing.set()
        self.refusing = False
        """Whether new connections break at once."""
        self._wires: set[_Wire] = set()
        self._trap: Trap | None = None

    @classmethod
    @asynccontextmanager
    async def opened(cls, endpoint: Endpoint, folder: Path) -> AsyncGenerator[Self]:
        proxy = cls(endpoint, folder)
        listener = await asyncio.start_unix_server(proxy._serve, str(proxy._path))
        try:
            yield proxy
        finally:
            proxy.flowing.set()
            listener.close()
            while proxy._wires:
                proxy.cut()
                await asyncio.sleep(0)
            await listener.wait_closed()

    def trap(self, fate: Fate, mark: str) -> Trap:
        """Wait for the COMMIT of a transaction with this text in it."""
        self._trap = Trap(fate, mark)
        return self._trap

    def cut(self, *, refusing: bool = False) -> None:
        """Break every connection."""
        self.refusing = refusing
        for wire in self._wires:
            wire.cut()

    def sprung(self, said: bytes) -> Trap | None:
        trap = self._trap
        if trap is None or trap.mark not in said:
            return None
        self._trap = None
        trap.sprung.set()
        return trap

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refusing:
            writer.transport.abort()
            return
        answers, server = await asyncio.open_unix_connection(self._target)
        wire = _Wire(self, writer, server)
        self._wires.add(wire)
        try:
            with suppress(OSError):
                async with asyncio.TaskGroup() as tasks:
                    asking = tasks.create_task(wire.ask(reader))
                    answering = tasks.create_task(wire.answer(answers))
                    await asyncio.wait((asking, answering), return_when=asyncio.FIRST_COMPLETED)
                    wire.cut()
                    asking.cancel()
                    answering.cancel()
        except* OSError:
            pass
        finally:
            wire.cut()
            self._wires.discard(wire)

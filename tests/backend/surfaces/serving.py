"""A small ASGI app on a real uvicorn and a real socket: in-process transports would buffer."""

import asyncio
import socket
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from starlette.types import ASGIApp

WATCHDOG_S = 20.0


@asynccontextmanager
async def serving(app: ASGIApp) -> AsyncGenerator[int]:
    """Serve on a free port of loopback; yields the port."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="auto",
            timeout_graceful_shutdown=1,
        )
        server = _Server(config)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(server.serve([listener]))
            await server.listening.wait()
            try:
                yield listener.getsockname()[1]
            finally:
                server.stop.set()


class _Server(uvicorn.Server):
    """Says when it listens, and leaves signals to the test runner."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()
        self.stop = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    async def main_loop(self) -> None:
        await self.stop.wait()


class Client:
    """One connection, written and read as it is."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, octets: bytes) -> None:
        self.writer.write(octets)

    def request(self, method: str, path: str, body: bytes | None = None, /, **headers: str) -> None:
        """Write a whole request; header names with underscores."""
        lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        if body is not None and "content_length" not in headers:
            lines.append(f"Content-Length: {len(body)}")
        self.send("\r\n".join([*lines, "", ""]).encode() + (body or b""))

    async def head(self) -> tuple[int, dict[str, str]]:
        """The status and the headers, names in lower case."""
        async with asyncio.timeout(WATCHDOG_S):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        status, *lines = head.strip().split("\r\n")
        pairs = (line.partition(": ") for line in lines)
        return int(status.split()[1]), {name.lower(): value for name, _, value in pairs}

    async def chunk(self) -> bytes:
        """One chunk of a chunked answer; empty at its end."""
        async with asyncio.timeout(WATCHDOG_S):
            size = int(await self.reader.readline(), 16)
            return (await self.reader.readexactly(size + 2))[:-2]

    async def body(self) -> tuple[int, dict[str, str], bytes]:
        """A whole answer."""
        status, headers = await self.head()
        async with asyncio.timeout(WATCHDOG_S):
            if "content-length" in headers:
                return (
                    status,
                    headers,
                    await self.reader.readexactly(int(headers["content-length"])),
                )
            if headers.get("transfer-encoding") != "chunked":
                return status, headers, b""
        octets = b""
        while piece := await self.chunk():
            octets += piece
        return status, headers, octets

    async def closed(self) -> bool:
        """Whether the server has closed the connection (waits for it)."""
        async with asyncio.timeout(WATCHDOG_S):
            return await self.reader.read() == b""


@asynccontextmanager
async def connected(port: int) -> AsyncGenerator[Client]:
    """A connection, closed at the end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Client(reader, writer)
    finally:
        writer.close()


async def until(condition: asyncio.Event) -> None:
    """Wait, but not for ever."""
    async with asyncio.timeout(WATCHDOG_S):
        await condition.wait()

"""What an idle WebSocket takes of the worker's memory."""

import asyncio
import base64
import time
from typing import cast

from tests.benchmarks import programs
from tests.benchmarks.figures import report, table
from tests.benchmarks.options import Options
from tests.harness.fake_provider.launch import fake_provider
from tests.harness.raw_http import HOST
from tests.harness.server import KEY, Server
from websockets.frames import Frame, Opcode

_AT_ONCE = 16
_SETTLE_S = 3.0
_WATCHDOG_S = 120.0
_PROVIDER_KEY = "sk-of-the-fake-provider"
_SETTINGS = {
    "CARTRITA_LOG_LEVEL": "warning",
    "CARTRITA_SERVER_DRAIN_S": "0",
    "CARTRITA_WEBSOCKET_PER_OWNER_MAX": "100000",
    "CARTRITA_WEBSOCKET_PING_INTERVAL_S": "3600",
}
_PING = Frame(Opcode.TEXT, b'{"type":"ping"}').serialize(mask=True)


def measure(options: Options) -> None:
    """Sockets that have authenticated, sent one frame and been answered, and then are silent."""
    rows: dict[str, dict[str, float]] = {}
    with fake_provider(key=_PROVIDER_KEY) as provider:
        for sockets in options.streams or (1000, 5000):
            with Server(
                provider_url=provider.base_url, lease_s=programs.LEASE_S, settings=_SETTINGS
            ) as server:
                rows[f"{sockets:,} idle sockets"] = options.run(_grown(server, sockets))
    report(table("memory of the worker", rows))


async def _grown(server: Server, sockets: int) -> dict[str, float]:
    (worker,) = server.tree.workers
    opened = [await _opened(server.port) for _ in range(20)]  # what is made at first use is made
    await asyncio.sleep(_SETTLE_S)
    before, began = programs.pss_kib(worker), time.monotonic()
    turns = iter(range(sockets))

    async def open_some() -> None:
        opened.extend([await _opened(server.port) for _ in turns])

    async with asyncio.timeout(_WATCHDOG_S), asyncio.TaskGroup() as tasks:
        for _ in range(_AT_ONCE):
            tasks.create_task(open_some())
    seconds = time.monotonic() - began
    await asyncio.sleep(_SETTLE_S)
    if cut := sum(1 for socket in opened if socket.lost):
        raise RuntimeError(f"{cut} of {len(opened)} sockets did not stay open.")
    after = programs.pss_kib(worker)
    for socket in opened:
        socket.close()
    return {
        "before MiB": before / 1024,
        "after MiB": after / 1024,
        "KiB each": (after - before) / sockets,
        "opened per s": sockets / seconds,
    }


async def _opened(port: int) -> "_Socket":
    """A socket whose first frame was answered."""
    loop = asyncio.get_running_loop()
    _, socket = await loop.create_connection(lambda: _Socket(port), HOST, port)
    async with asyncio.timeout(_WATCHDOG_S):
        await socket.answered
    return socket


class _Socket(asyncio.Protocol):
    """As little as a client can be."""

    def __init__(self, port: int) -> None:
        lines = [
            "GET /ws/chat HTTP/1.1",
            f"Host: {HOST}:{port}",
            f"X-API-Key: {KEY}",
            "Connection: Upgrade",
            "Upgrade: websocket",
            f"Sec-WebSocket-Key: {base64.b64encode(bytes(16)).decode()}",
            "Sec-WebSocket-Version: 13",
        ]
        self._handshake = "\r\n".join([*lines, "", ""]).encode()
        self._received = b""
        self.answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(self._handshake)

    def data_received(self, data: bytes) -> None:
        if self.answered.done():
            return
        head = b"\r\n\r\n" in self._received
        self._received += data
        if not head and b"\r\n\r\n" in self._received:
            self._transport.write(_PING)
        if b'{"type":"pong"}' in self._received:
            self.answered.set_result(None)
            self._received = b""

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        self.answered.cancel()

    def close(self) -> None:
        """Leave, as a closed tab does."""
        self._transport.abort()

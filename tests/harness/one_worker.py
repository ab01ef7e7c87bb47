"""Scenarios whose requests are all answered by one worker process of a server that has several."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx2
import psutil
from tests.harness.fake_provider.launch import FakeProvider
from tests.harness.raw_http import HOST
from tests.harness.scenario import Scenario, eventually
from tests.harness.server import KEY, Server

_AT_ONCE = 8
_WATCHDOG_S = 60.0
SETTINGS = {"CARTRITA_SERVER_KEEPALIVE_S": "600"}
"""Connections stay with their worker for as long as they are open."""


class OneWorker(Scenario):
    """Asks over one connection, one request after the other."""

    def __init__(self, server: Server, provider: FakeProvider, client: httpx2.AsyncClient) -> None:
        super().__init__(server, provider)
        self._client = client
        self.worker = 0

    async def find(self) -> int:
        """Learn which worker answers: its process id."""
        answer = await self._client.get("/health")
        _, port = answer.extensions["network_stream"].get_extra_info("client_addr")
        self.worker = await _worker_with(self.server, port)
        return self.worker

    async def call(
        self, method: str, path: str, body: dict[str, Any] | None = None, **headers: str
    ) -> tuple[int, dict[str, Any]]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = await self._client.request(method, path, json=body, headers=named)
        found: Any = answer.json() if answer.content else {}
        return answer.status_code, found

    async def socket(self) -> socket.socket:
        """A new connection with the worker."""
        async with asyncio.timeout(_WATCHDOG_S):
            while True:
                connection = socket.socket()
                connection.setblocking(False)
                await asyncio.get_running_loop().sock_connect(connection, (HOST, self.server.port))
                if await _worker_with(self.server, connection.getsockname()[1]) == self.worker:
                    return connection
                connection.close()


@asynccontextmanager
async def workers_of(server: Server, provider: FakeProvider) -> AsyncGenerator[list[OneWorker]]:
    """A scenario for each worker."""
    found: dict[int, OneWorker] = {}
    async with AsyncExitStack() as stack, asyncio.timeout(None) as looking:
        looking.reschedule(asyncio.get_running_loop().time() + _WATCHDOG_S)
        while len(found) < server.workers:
            clients = [await stack.enter_async_context(_client(server)) for _ in range(_AT_ONCE)]
            made = [OneWorker(server, provider, client) for client in clients]
            pids = await asyncio.gather(*(one.find() for one in made))
            found |= dict(zip(pids, made, strict=True))
        looking.reschedule(None)
        yield list(found.values())


def _client(server: Server) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(
        base_url=server.base,
        headers={"X-API-Key": KEY},
        limits=httpx2.Limits(max_connections=1, keepalive_expiry=None),
        timeout=_WATCHDOG_S * 2,
        trust_env=False,
    )


async def _worker_with(server: Server, port: int) -> int:
    """The worker that has accepted the connection from this port."""

    async def look() -> int | None:
        return await asyncio.to_thread(_holder, server, port)

    return await eventually(look)


def _holder(server: Server, port: int) -> int | None:
    for pid in server.tree.workers:
        for each in psutil.Process(pid).net_connections("tcp"):
            if each.raddr and each.raddr.port == port and each.laddr.port == server.port:
                return pid
    return None

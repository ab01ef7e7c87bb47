"""Clients of a relay, which keep their connections and read each answer to its end."""

import asyncio
import time
from typing import cast

import httptools


class RelayClient(asyncio.Protocol):
    """One connection, on which the same request is sent again and again."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self._loop = asyncio.get_running_loop()
        self._answered: asyncio.Future[None] | None = None
        self.pieces = 0
        self.failures = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._parser = httptools.HttpResponseParser(self)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answered is not None and not self._answered.done():
            self._answered.set_exception(ConnectionError("The relay closed the connection."))

    def on_headers_complete(self) -> None:
        self.failures += self._parser.get_status_code() != 200

    def on_body(self, body: bytes) -> None:
        self.pieces += body.count(b" word")

    def on_message_complete(self) -> None:
        if self._answered is not None:
            self._answered.set_result(None)

    async def ask(self) -> float:
        """Send the request and read the answer; the seconds that it took."""
        began = time.perf_counter()
        self._answered = self._loop.create_future()
        self._transport.write(self._request)
        await self._answered
        return time.perf_counter() - began

    def close(self) -> None:
        self._transport.close()


async def load(port: int, request: bytes, connections: int, seconds: float) -> "Load":
    """Load a relay with so many clients at once for so long."""
    loop = asyncio.get_running_loop()
    opened = [
        await loop.create_connection(lambda: RelayClient(request), "127.0.0.1", port)
        for _ in range(connections)
    ]
    clients = [client for _, client in opened]
    until = time.perf_counter() + seconds
    waits: list[float] = []

    async def keep_asking(client: RelayClient) -> None:
        while time.perf_counter() < until:
            waits.append(await client.ask())

    async with asyncio.TaskGroup() as tasks:
        for client in clients:
            tasks.create_task(keep_asking(client))
    for client in clients:
        client.close()
    if failures := sum(client.failures for client in clients):
        raise RuntimeError(f"{failures} of {len(waits)} requests were not answered with 200.")
    return Load(waits, sum(client.pieces for client in clients))


class Load:
    """What a relay answered: how long each answer took, in seconds, and the pieces of streams."""

    def __init__(self, waits: list[float], pieces: int) -> None:
        self.waits = waits
        self.pieces = pieces

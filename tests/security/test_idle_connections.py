"""Thousands of connections that send nothing, or not all, cost little and are closed in time."""

import asyncio
import resource

import pytest
from tests.harness import processes
from tests.harness.fixtures import Serve
from tests.harness.raw_http import HOST
from tests.harness.scenario import Scenario
from tests.harness.server import KEY
from tests.security.routes import ask

MOST = 4_000
RESERVED = 500
AT_ONCE = 200
KIB_EACH = 40
UNFINISHED = {
    "nothing": b"",
    "half a header": b"GET /api/me HTTP/1.1\r\nHost: a\r\nX-API-Key: ",
    "half a handshake": (
        b"GET /ws/chat HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
    ),
    "half a body": (
        b"POST /api/chat HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nX-API-Key: "
        + KEY.encode()
        + b'\r\nContent-Length: 1000\r\n\r\n{"message": "'
    ),
}


@pytest.fixture
def sockets() -> int:
    """As many as this process and the server may open, which inherits its limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = MOST + RESERVED if hard == resource.RLIM_INFINITY else min(hard, MOST + RESERVED)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, allowed), hard))
    return allowed - RESERVED


@pytest.mark.slow
@pytest.mark.parametrize("sent", UNFINISHED)
async def test_unfinished_requests(serve: Serve, sockets: int, sent: str) -> None:
    waits = {
        "CARTRITA_SERVER_HEADER_TIMEOUT_S": "8",
        "CARTRITA_SERVER_BODY_TIMEOUT_S": "8",
        "CARTRITA_SERVER_KEEPALIVE_S": "8",
    }
    scenario = serve(settings=waits)
    await _answered(scenario)
    before = await _memory(scenario)
    held = await _opened(scenario, sockets, UNFINISHED[sent])
    assert await _memory(scenario) - before <= sockets * KIB_EACH * 1024
    await _answered(scenario)
    async with asyncio.timeout(120):  # all are closed, without a word or with a 408
        ends = await asyncio.gather(*(reader.read() for reader, _ in held))
    assert {end.split(b"\r\n")[0] for end in ends} <= {b"", b"HTTP/1.1 408 Request Timeout"}
    for _, writer in held:
        writer.close()
    await _answered(scenario)


async def _opened(
    scenario: Scenario, count: int, sent: bytes
) -> list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    async def one() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection(HOST, scenario.server.port, limit=1024)
        writer.write(sent)
        return reader, writer

    held: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
    for first in range(0, count, AT_ONCE):
        held += await asyncio.gather(*(one() for _ in range(min(AT_ONCE, count - first))))
    return held


async def _answered(scenario: Scenario) -> None:
    """Everybody else is served meanwhile, by every API."""
    body = {"model": "openai/fake", "messages": [{"role": "user", "content": "hello"}]}
    key = {"X-API-Key": KEY}
    for _ in range(20):
        assert (await ask(scenario.server.port, "GET", "/api/me", key))[0] == 200
        status, *_ = await ask(scenario.server.port, "POST", "/v1/chat/completions", key, body)
        assert status == 200
    await scenario.chat()


async def _memory(scenario: Scenario) -> int:
    workers = (await asyncio.to_thread(lambda: scenario.server.tree)).workers
    return await asyncio.to_thread(processes.memory_bytes, workers)

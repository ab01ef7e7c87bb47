"""Servers that break the protocol, or use it against their client: a call fails, and no more."""

import asyncio
import itertools
import resource
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import anyio
import pytest
from mcp.client._transport import TransportStreams
from structlog.testing import capture_logs
from tests.backend.adapters.mcp.connections import Told, address, connected, program, programs
from tests.harness.scenario import eventually
from tests.harness.tool_servers.hostile_http import HostileServer, hostile_server

from cartrita.adapters.mcp.config import ServerConfig
from cartrita.adapters.mcp.program_transport import program_transport
from cartrita.adapters.mcp.servers import McpServer
from cartrita.domain.errors import UpstreamCut, UpstreamError, UpstreamMalformed


@pytest.fixture(scope="module")
def hostile() -> Iterator[HostileServer]:
    with hostile_server() as running:
        yield running


def memory() -> int:
    """The most that this process has used, in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


async def test_a_result_of_ten_megabytes_is_not_read() -> None:
    async with connected(program("hostile.py", "large")) as server:
        await server.tools()
        before = memory()
        with pytest.raises(UpstreamCut):
            await server.call("plain", {}, Told())
        assert memory() - before < 48 << 10


async def test_progress_without_an_end_is_told_now_and_then() -> None:
    async with connected(program("hostile.py", "progress"), call_timeout_s=2.5) as server:
        await server.tools()
        told = Told()
        with pytest.raises(UpstreamCut):
            await server.call("plain", {}, told)
        assert 1 <= len(told.progress) <= 4
        assert {(len(status), share) for status, share in told.progress} == {(200, None)}


@pytest.mark.parametrize("way", ["floods", "prints", "strange"])
async def test_a_flood_ends_the_connection(way: str) -> None:
    """Of messages that answer nothing, lines that are none, answers to what nobody asked."""
    async with connected(program("hostile.py", way)) as server:
        await server.tools()
        with pytest.raises(UpstreamCut, match="the connection ended"):
            await server.call("plain", {}, Told())


async def test_what_a_server_asks_of_us_is_refused() -> None:
    async with connected(program("hostile.py", "asks")) as server:
        await server.tools()
        replies = (await server.call("plain", {}, Told())).text
        assert replies.count('"error"') == 3
        assert '"result"' not in replies


async def test_a_schema_of_results_is_not_evaluated() -> None:
    """Its pattern would take longer than the universe has existed."""
    async with connected(program("hostile.py", "pattern")) as server:
        await server.tools()
        result = await server.call("pattern", {}, Told())
        assert "a" * 60 in result.text


async def test_a_tool_that_is_none_is_left_out_of_the_list() -> None:
    """And what is told of one beside its schema, such as an icon, may be anything."""
    async with connected(program("hostile.py", "pattern")) as server:
        names = {tool.name for tool in await server.tools()}
    assert {"plain", "icon", "pattern"} <= names
    assert not {"required", "list", "text"} & names


async def test_nonsense_is_no_result() -> None:
    async with connected(program("hostile.py", "nonsense")) as server:
        await server.tools()
        with pytest.raises(UpstreamMalformed, match="no result that can be read"):
            await server.call("plain", {}, Told())
        assert server.available


async def test_a_list_without_an_end_is_read_for_some_pages() -> None:
    async with connected(program("hostile.py", "pages")) as server:
        assert 20 <= len(await server.tools()) <= 1000


async def test_a_program_that_says_nothing_is_given_up() -> None:
    async with connected(program("hostile.py", "silent"), connect_timeout_s=1.0) as server:
        assert await server.tools() == ()
        assert not server.available


async def test_a_server_that_hangs_is_waited_for_once_and_not_long() -> None:
    with capture_logs() as logs:
        hung = connected(program("hostile.py", "silent"), connect_timeout_s=60.0, wait_s=0.05)
        async with hung as server, asyncio.timeout(30):
            assert [await server.tools() for _ in range(3)] == [(), (), ()]
    slow = [entry for entry in logs if entry["event"] == "tool_server_slow"]
    assert [entry["server"] for entry in slow] == ["garden"]


async def test_a_program_that_does_not_end_is_killed() -> None:
    async with connected(program("hostile.py", "stays")) as server:
        await server.tools()
        (child,) = (one for one in programs() if "stays" in one.cmdline())
    assert not child.is_running()


BAD_ANSWERS: list[tuple[str, str]] = [
    ("large", "sent more than 4194304 bytes"),
    ("inflates", "it sent what cannot be read"),
    ("cut", "broke off its answer"),
    ("moves", "not followed"),
]


@pytest.mark.parametrize(("way", "told"), BAD_ANSWERS)
async def test_bad_answers_fail_one_call(hostile: HostileServer, way: str, told: str) -> None:
    async with connected(address(hostile.url(way))) as server:
        assert [tool.name for tool in await server.tools()] == ["plain"]
        with pytest.raises(UpstreamError, match=told):
            await server.call("plain", {}, Told())
        assert server.available


@pytest.mark.parametrize("way", ["silent", "endless"])
async def test_what_does_not_end_is_given_up(hostile: HostileServer, way: str) -> None:
    async with connected(address(hostile.url(way)), call_timeout_s=1.0) as server:
        await server.tools()
        with pytest.raises(UpstreamCut, match=r"it took too long|the connection ended"):
            await server.call("plain", {}, Told())


async def test_a_connection_that_breaks_is_made_anew() -> None:
    """Also by an error of the SDK's streams, which is no failure of ours."""
    place = program("hostile.py", "pattern")
    tries = itertools.count()

    @asynccontextmanager
    async def breaking() -> AsyncGenerator[TransportStreams]:
        if next(tries) == 0:
            raise anyio.BrokenResourceError
        async with program_transport("garden", place) as streams:
            yield streams

    server = McpServer(ServerConfig(name="garden", place=place, wait_s=20.0), breaking)

    async def there() -> bool:
        return server.available

    with capture_logs() as logs:
        holding = asyncio.create_task(server.run())
        await eventually(there)
        holding.cancel()
        with suppress(asyncio.CancelledError):
            await holding
    away = [entry for entry in logs if entry["event"] == "tool_server_away"]
    assert [entry["why"] for entry in away] == ["the connection ended"]
    assert not [entry for entry in logs if entry["log_level"] == "error"]


async def test_a_connection_that_breaks_as_it_closes_ends_all_the_same() -> None:
    """The SDK loses the cancellation then, in an error of its own."""
    place = program("hostile.py", "pattern")
    config = ServerConfig(name="garden", place=place, wait_s=20.0)

    closes = itertools.count()

    @asynccontextmanager
    async def breaking() -> AsyncGenerator[TransportStreams]:
        try:
            async with program_transport("garden", place) as streams:
                yield streams
        finally:
            if next(closes) == 0:
                raise anyio.BrokenResourceError

    server = McpServer(config, breaking)
    async with asyncio.timeout(60):
        holding = asyncio.create_task(server.run())
        assert await server.tools()
        holding.cancel()
        await asyncio.wait((holding,), timeout=20)
        ended = holding.cancelled()
        holding.cancel()
        with suppress(asyncio.CancelledError):
            await holding
    assert ended


@pytest.mark.parametrize("way", ["redirects", "refuses", "fails"])
async def test_a_server_that_cannot_be_used_is_away(hostile: HostileServer, way: str) -> None:
    before = len(hostile.headers)
    async with connected(address(hostile.url(way))) as server:
        assert await server.tools() == ()
        assert not server.available
    sent: list[Any] = hostile.headers[before:]
    assert {one["authorization"] for one in sent} == {"Bearer of-the-garden"}
    assert {one["accept-encoding"] for one in sent} == {"identity"}


async def test_a_server_that_comes_back_is_used_again(hostile: HostileServer) -> None:
    async with connected(address(hostile.url("plain")), refresh_s=0.2) as server:

        async def there() -> bool:
            return server.available

        await eventually(there)
        hostile.failing = True
        try:
            await eventually(lambda: away(there))
        finally:
            hostile.failing = False
        await eventually(there)


async def away(there: Any) -> bool:
    return not await there()

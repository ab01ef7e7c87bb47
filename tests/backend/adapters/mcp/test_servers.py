"""Tools of real servers by the official SDK, as programs and at addresses."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.backend.adapters.mcp.connections import Told, address, connected, program, programs
from tests.harness.scenario import eventually
from tests.harness.server import free_port
from tests.harness.tool_servers import official

from cartrita.adapters.mcp.config import ServerProgram
from cartrita.adapters.mcp.servers import McpServer
from cartrita.domain.errors import UpstreamCut, UpstreamUnreachable
from cartrita.domain.tool_servers import ServedLink, ServedResult

TOOLS = ["add", "notes.write", "environment", "drawing", "links", "fail", "never", "end"]


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Where the official server listens."""
    number = free_port()
    command = [sys.executable, str(official.__file__), str(number)]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield number
    finally:
        running.kill()
        running.wait()


async def available(server: McpServer) -> None:
    async def look() -> bool:
        return server.available

    await eventually(look)


async def check_results(server: McpServer) -> None:
    """The same tools give the same results by both transports."""
    listed = await server.tools()
    assert [tool.name for tool in listed] == TOOLS
    assert listed[0].description == "Add two numbers."
    assert listed[0].schema["required"] == ["first", "second"]
    told = Told()
    added = await server.call("add", {"first": 1, "second": 2}, told)
    assert added == ServedResult("3")
    written = await server.call("notes.write", {"text": "moss"}, told)
    assert written.text == "Wrote moss."
    assert told.progress == [("Writing", 0.5)]
    drawn = await server.call("drawing", {}, told)
    assert drawn.text == "[An image, image/png, which is not shown.]"
    links = await server.call("links", {}, told)
    assert links.text == "Moss (https://moss.test/)\n\nHere (file:///etc/passwd)"
    assert links.links == (ServedLink("Moss", "https://moss.test/"), ServedLink("Here"))
    failed = await server.call("fail", {}, told)
    assert not failed.success
    wrong = await server.call("add", {"first": "x"}, told)
    assert not wrong.success


async def test_a_program_is_started_called_and_ended(tmp_path: Path) -> None:
    place = program("official.py", NOTES=str(tmp_path / "notes"))
    async with connected(place) as server:
        await check_results(server)
        assert server.available
        seen = await server.call("environment", {}, Told())
        assert set(seen.text.split("\n\n")) <= {"NOTES", "LC_CTYPE"}
        (child,) = (one for one in programs() if one.environ().get("NOTES"))
    assert not child.is_running()
    assert (tmp_path / "notes").read_text() == "moss\n"


async def test_a_program_that_ends_is_started_again() -> None:
    async with connected(program("hostile.py", "dies")) as server:
        await server.tools()
        with pytest.raises(UpstreamCut, match="the connection ended"):
            await server.call("plain", {}, Told())
        with pytest.raises(UpstreamUnreachable, match="garden is away"):
            await server.call("plain", {}, Told())
        assert not server.available
        assert len(await server.tools()) > 1, "those that it had stay"
        await available(server)


async def test_a_server_at_an_address_is_called(port: int) -> None:
    async with connected(address(f"http://127.0.0.1:{port}/mcp")) as server:
        await available(server)
        await check_results(server)


async def test_a_call_that_takes_too_long_ends_no_other(port: int) -> None:
    place = address(f"http://127.0.0.1:{port}/mcp")
    async with connected(place, call_timeout_s=1.0) as server:
        await available(server)
        with pytest.raises(UpstreamCut, match="it took too long"):
            await server.call("never", {}, Told())
        assert (await server.call("add", {"first": 1, "second": 2}, Told())).text == "3"


async def test_a_private_address_that_nobody_listed_is_not_called(port: int) -> None:
    place = address(f"http://127.0.0.1:{port}/mcp")
    async with connected(place, listed=()) as server:
        assert await server.tools() == ()
        assert not server.available


async def test_a_program_that_there_is_not() -> None:
    async with connected(ServerProgram(command=("/nowhere/program",))) as server:
        assert await server.tools() == ()
        with pytest.raises(UpstreamUnreachable):
            await server.call("add", {}, Told())


async def test_tools_that_are_new_are_listed() -> None:
    async with connected(program("hostile.py", "changes")) as server:
        before = await server.tools()
        assert (await server.call("plain", {}, Told())).text == "changed"

        async def more() -> bool:
            return len(await server.tools()) == len(before) + 1

        await eventually(more)

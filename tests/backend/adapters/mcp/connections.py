"""Servers of tools as the product holds them, for the tests of their client."""

import asyncio
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
from tests.harness import tool_servers

from cartrita.adapters.http.client import HttpClient
from cartrita.adapters.http.public_addresses import AddressRule
from cartrita.adapters.mcp.config import ServerAddress, ServerConfig, ServerProgram
from cartrita.adapters.mcp.servers import McpServer, create_server
from cartrita.kit.secret import Secret

_FOLDER = Path(tool_servers.__file__).parent
LISTED = ("127.0.0.1/32",)


def program(file: str, *arguments: str, **environment: str) -> ServerProgram:
    """One of the test's servers as a program."""
    command = (sys.executable, str(_FOLDER / file), *arguments)
    variables = {name: Secret(value) for name, value in environment.items()}
    return ServerProgram(command=command, environment=variables)


def address(url: str) -> ServerAddress:
    """A server at an address, with a credential."""
    return ServerAddress(url=url, headers={"Authorization": Secret("Bearer of-the-garden")})


@asynccontextmanager
async def connected(
    place: ServerProgram | ServerAddress, *, listed: Sequence[str] = LISTED, **limits: Any
) -> AsyncGenerator[McpServer]:
    """The server, and its connection for the length of the block."""
    times = {"connect_timeout_s": 20.0, "wait_s": 20.0, "refresh_s": 60.0, "call_timeout_s": 20.0}
    given = {**times, **limits}
    config = ServerConfig(name="garden", place=place, **given)
    async with (
        HttpClient(check=AddressRule(listed, ports=None)) as http,
        asyncio.TaskGroup() as own,
    ):
        server = create_server(config, http)
        holding = own.create_task(server.run())
        try:
            yield server
        finally:
            holding.cancel()
            with suppress(asyncio.CancelledError):
                await holding


class Told:
    """The progress that was told of a call."""

    def __init__(self) -> None:
        self.progress: list[tuple[str, float | None]] = []

    async def __call__(self, status: str, share: float | None) -> None:
        self.progress.append((status, share))


def programs() -> list[psutil.Process]:
    """The servers that run now as programs of this process."""
    children = psutil.Process().children()
    return [one for one in children if any(str(_FOLDER) in part for part in one.cmdline()[:3])]

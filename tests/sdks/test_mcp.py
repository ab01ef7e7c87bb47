"""The official client of MCP calls agents, with a handshake and without one."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx2
import pytest
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client
from mcp.types import TextContent
from tests.harness.fake_provider.script import Script, directive
from tests.harness.server import KEY, Server

MODES = ["legacy", "auto", "2026-07-28"]


@asynccontextmanager
async def opened(server: Server, mode: str) -> AsyncGenerator[Client]:
    """A client whose requests have a key."""
    async with httpx2.AsyncClient(headers={"X-API-Key": KEY}, timeout=30) as http:
        transport = streamable_http_client(f"{server.base}/mcp", http_client=http)
        async with Client(transport, mode=mode) as client:
            yield client


@pytest.mark.parametrize("mode", MODES)
async def test_agents_are_listed_and_called(server: Server, mode: str) -> None:
    async with opened(server, mode) as client:
        tools = (await client.list_tools()).tools
        assert {"supervisor", "researcher", "writer"} <= {tool.name for tool in tools}
        text = f"Write. {directive(Script(text='Moss grows.'))}"
        result = await client.call_tool("writer", {"message": text})
        (content,) = result.content
        assert isinstance(content, TextContent)
        assert (content.text, result.is_error) == ("Moss grows.", False)
        assert result.structured_content["agents_used"] == ["writer"]


@pytest.mark.parametrize("mode", MODES)
async def test_what_is_wrong_arrives_as_the_client_has_it(server: Server, mode: str) -> None:
    async with opened(server, mode) as client:
        result = await client.call_tool("writer", {"nothing": 1})
        assert result.is_error
        with pytest.raises(MCPError, match="Unknown tool"):
            await client.call_tool("nobody", {})

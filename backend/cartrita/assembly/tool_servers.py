"""The servers whose tools agents may use."""

from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from importlib import import_module
from typing import NamedTuple, Protocol, cast
from urllib.parse import urlsplit

from cartrita.adapters.http.client import HttpClient
from cartrita.adapters.http.public_addresses import AddressRule
from cartrita.adapters.http.transport import Transport
from cartrita.adapters.mcp.config import ServerAddress, ServerConfig, ServerProgram
from cartrita.domain.ports.tool_servers import ToolServer
from cartrita.settings import Settings
from cartrita.settings.addresses import is_literal, named_host
from cartrita.settings.tool_servers import ConfiguredToolServer, Mcp
from cartrita.tools.tool_servers import ServedTools, ServingRules
from cartrita.tools.toolbox import ToolSupply

_AFTER_S = 5.0
"""The agent gives a call up before its connection does, and knows best what to say of it."""


class ToolServers(NamedTuple):
    """What they supply, what keeps their connections, and which of them answer."""

    supplies: tuple[ToolSupply, ...] = ()
    loops: tuple[Callable[[], Coroutine[None, None, None]], ...] = ()
    available: Callable[[], Mapping[str, bool]] = dict


class _Server(ToolServer, Protocol):
    def run(self) -> Coroutine[None, None, None]: ...


@asynccontextmanager
async def open_tool_servers(settings: Settings) -> AsyncGenerator[ToolServers]:
    """All that are configured; they are called once their loops run."""
    config = settings.mcp
    async with AsyncExitStack() as stack:
        servers: list[_Server] = []
        supplies: list[ToolSupply] = []
        for entry in config.entries:
            http = None
            if entry.url is not None:
                http = await stack.enter_async_context(_client(entry.url, config))
            server = _create(_config(entry, config), http)
            rules = ServingRules(
                tools=entry.tools,
                read=entry.read,
                timeout_s=entry.timeout_s,
                output_max_chars=entry.output_max_chars,
            )
            servers.append(server)
            supplies.append(ServedTools(server, rules))
        yield ToolServers(
            tuple(supplies),
            tuple(server.run for server in servers),
            lambda: {server.name: server.available for server in servers},
        )


def _client(url: str, config: Mcp) -> HttpClient:
    """A client that calls this host, wherever it is public or the operator says where it is."""
    own = (named_host(urlsplit(url).hostname or ""),) if is_literal(url) else ()
    rule = AddressRule(
        (*config.private_hosts, *own), ports=None, listed_in="CARTRITA_MCP_PRIVATE_HOSTS"
    )
    return HttpClient(check=rule)


def _create(config: ServerConfig, http: Transport | None) -> _Server:
    """A server by the SDK, which is loaded here: most have no use for its 60 MB."""
    module = import_module("cartrita.adapters.mcp.servers")
    return cast("_Server", module.create_server(config, http))


def _config(entry: ConfiguredToolServer, config: Mcp) -> ServerConfig:
    place: ServerProgram | ServerAddress
    if entry.url is not None:
        place = ServerAddress(url=entry.url, headers=entry.headers)
    else:
        place = ServerProgram(command=entry.command or (), environment=entry.env, folder=entry.cwd)
    return ServerConfig(
        name=entry.name,
        place=place,
        connect_timeout_s=config.connect_timeout_s,
        wait_s=config.wait_s,
        refresh_s=config.refresh_s,
        call_timeout_s=entry.timeout_s + _AFTER_S,
    )

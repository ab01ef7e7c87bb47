"""A server of tools by the official SDK: implements `ToolServer`."""

import asyncio
import random
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, suppress
from importlib.metadata import version
from typing import Final, TypeAlias, cast

import anyio
import structlog
from mcp import Client, MCPError
from mcp.client.session import IncomingMessage
from mcp.types import (
    CONNECTION_CLOSED,
    INTERNAL_ERROR,
    PARSE_ERROR,
    REQUEST_TIMEOUT,
    Implementation,
    ToolListChangedNotification,
)

from cartrita.adapters.http.transport import Transport as HttpTransport
from cartrita.adapters.mcp.config import ServerAddress, ServerConfig, ServerProgram
from cartrita.adapters.mcp.http_transport import BROKEN, REFUSED, http_transport
from cartrita.adapters.mcp.program_transport import program_transport
from cartrita.adapters.mcp.progress import Progress
from cartrita.adapters.mcp.results import served_result
from cartrita.adapters.mcp.screened_streams import Transport, screened
from cartrita.adapters.mcp.screened_tools import MOST_TOOLS
from cartrita.domain.errors import (
    UpstreamCut,
    UpstreamMalformed,
    UpstreamRejected,
    UpstreamUnreachable,
)
from cartrita.domain.json import JsonObject
from cartrita.domain.tool_servers import ServedResult, ServedTool
from cartrita.domain.tools import TellProgress
from cartrita.kit.text import shortened, storable_text

OpenTransport: TypeAlias = Callable[[], Transport]

_MOST_PAGES: Final = 20
_LONGEST_PAUSE_S: Final = 60.0
_SETTLING_S: Final = 0.5
"""Between a message that the list has changed and the next look at it."""
_LONGEST_MESSAGE: Final = 500
_BODY_PROBLEM: Final = "The server "
"""How the sentence begins that our HTTP client has for a body; the SDK puts words before it."""
_UNANSWERED: Final = frozenset(
    (CONNECTION_CLOSED, BROKEN, PARSE_ERROR, REQUEST_TIMEOUT, INTERNAL_ERROR)
)
"""Errors after which nobody knows what came of a call."""
_ENDED: Final = frozenset((CONNECTION_CLOSED, BROKEN, REFUSED))
"""Errors after which another connection is tried."""
_SESSION_ENDED: Final = "Session terminated"
"""What the SDK says where a server does not know its session any more."""

log = structlog.get_logger(__name__)


class McpServer:
    """A server to which one connection is held, which one task opens and closes."""

    def __init__(self, config: ServerConfig, open_transport: OpenTransport) -> None:
        self._config = config
        self._open_transport = open_transport
        self._client: Client | None = None
        self._listed: Sequence[ServedTool] = ()
        self._tried = asyncio.Event()
        self._waited_until: float | None = None
        """Until when, by the clock of the loop, runs wait for the first try to connect."""
        self._news = asyncio.Event()
        self._ended = False
        self._answers = False
        self._calls = 0

    @property
    def name(self) -> str:
        return self._config.name

    @property
    def available(self) -> bool:
        """See `ToolServer.available`."""
        return self._client is not None and not self._ended and self._answers

    async def tools(self) -> Sequence[ServedTool]:
        """See `ToolServer.tools`."""
        if not self._tried.is_set():
            await self._first_try()
        return self._listed

    async def _first_try(self) -> None:
        """Wait for the first try to connect, all who ask together no longer than `wait_s`."""
        if self._waited_until is None:
            self._waited_until = asyncio.get_running_loop().time() + self._config.wait_s
        try:
            async with asyncio.timeout_at(self._waited_until):
                await self._tried.wait()
        except TimeoutError:
            log.warning("tool_server_slow", server=self.name, waited_s=self._config.wait_s)
            self._tried.set()

    async def run(self) -> None:
        """Hold the connection, until cancelled; where it ends, try again after a pause.

        The SDK may end a cancelled connection with the error of a message that nobody reads any
        more, and without the cancellation.
        """
        task = asyncio.current_task()
        assert task is not None
        failures = 0
        while True:
            self._ended, connected = False, False
            try:
                connected = await self._connection()
                reason = "the connection ended"
            except Exception as error:
                reason = _reason(error)
                if reason is None and not task.cancelling():
                    log.exception("tool_server_failed", server=self.name)
            finally:
                connected = connected or self._client is not None
                self._client = None
                self._tried.set()
            if task.cancelling():
                raise asyncio.CancelledError
            failures = 0 if connected else failures + 1
            pause = min(2.0**failures, _LONGEST_PAUSE_S) * random.uniform(0.8, 1.2)  # noqa: S311 - as jitter
            log.warning("tool_server_away", server=self.name, why=reason, pause_s=round(pause, 1))
            await asyncio.sleep(pause)

    async def call(self, tool: str, arguments: JsonObject, progress: TellProgress) -> ServedResult:
        """See `ToolServer.call`."""
        client = self._client
        if client is None or self._ended:
            raise UpstreamUnreachable(
                f"The server {self.name} is away. Do without it, or try again later.",
                provider=self.name,
            )
        told = Progress(progress)
        self._calls += 1
        try:
            result = await client.call_tool(
                tool,
                dict(arguments),
                read_timeout_seconds=self._config.call_timeout_s,
                progress_callback=told,
            )
        except MCPError as error:
            raise self._explained(error) from None
        except (ValueError, RuntimeError, anyio.ClosedResourceError, anyio.BrokenResourceError):
            # A result that is none, or one that asks for what we do not give, again and again.
            raise UpstreamMalformed(
                f"The server {self.name} gave no result that can be read.", provider=self.name
            ) from None
        finally:
            told.ended = True
            self._calls -= 1
        return served_result(result)

    async def _connection(self) -> bool:
        """Connect, and stay so until the connection ends. What ends it is raised, or nothing."""
        async with AsyncExitStack() as stack:
            async with asyncio.timeout(self._config.connect_timeout_s):
                client = await stack.enter_async_context(self._new_client())
                self._listed = await _listed(client)
            self._client, self._answers = client, True
            self._tried.set()
            tools = len(self._listed)
            log.info("tool_server_connected", server=self.name, tools=tools)
            while not self._ended:
                await self._wait()
                if not self._ended and not self._calls:
                    await self._refresh(client)
            return True

    def _new_client(self) -> Client:
        transport = screened(self._open_transport(), self.name, self._end)
        return Client(
            transport,
            client_info=Implementation(name="cartrita", version=version("cartrita")),
            read_timeout_seconds=self._config.connect_timeout_s,
            message_handler=self._notice,
            cache=None,
        )

    async def _notice(self, message: IncomingMessage) -> None:
        if isinstance(message, ToolListChangedNotification):
            self._news.set()

    def _end(self) -> None:
        self._ended = True
        self._news.set()

    async def _wait(self) -> None:
        """Until something is new, or it is time to ask."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._config.refresh_s):
                await self._news.wait()
        if not self._ended:
            await asyncio.sleep(_SETTLING_S)
        self._news.clear()

    async def _refresh(self, client: Client) -> None:
        """List the tools again. A server that only takes long may still do what it was asked."""
        try:
            async with asyncio.timeout(self._config.connect_timeout_s):
                listed = await _listed(client)
        except TimeoutError:
            self._answers = False
            return
        except MCPError as error:
            if error.code != REQUEST_TIMEOUT:
                raise
            self._answers = False
            return
        self._answers = True
        if listed != self._listed:
            self._listed = listed

    def _explained(self, error: MCPError) -> UpstreamCut | UpstreamRejected:
        """What an error of a call means, and another connection if it ended this one."""
        if error.code in _ENDED or error.message == _SESSION_ENDED:
            self._end()
        told = f"The server {self.name} did not do it: {_message(error)}"
        told = told if told.endswith(".") else f"{told}."
        kind = UpstreamCut if error.code in _UNANSWERED else UpstreamRejected
        return kind(told, provider=self.name)


def create_server(config: ServerConfig, http: HttpTransport | None) -> McpServer:
    """A server that is started, or called by this client."""

    def open_transport() -> Transport:
        match config.place:
            case ServerProgram() as program:
                return program_transport(config.name, program)
            case ServerAddress() as address:
                assert http is not None
                return http_transport(config.name, address, http, config.call_timeout_s)

    return McpServer(config, open_transport)


async def _listed(client: Client) -> Sequence[ServedTool]:
    """All tools of a server, or the first of very many. Raises MCPError."""
    found: list[ServedTool] = []
    cursor: str | None = None
    for _ in range(_MOST_PAGES):
        page = await client.list_tools(cursor=cursor)
        found += (
            ServedTool(tool.name, tool.description or tool.title or "", tool.input_schema)
            for tool in page.tools
        )
        cursor = page.next_cursor
        if cursor is None or len(found) >= MOST_TOOLS:
            break
    return tuple(found[:MOST_TOOLS])


def _message(error: MCPError) -> str:
    """What the server says, or what happened to its answer."""
    if error.code == CONNECTION_CLOSED:
        return "the connection ended"
    if error.code == REQUEST_TIMEOUT:
        return "it took too long"
    if error.code == PARSE_ERROR:
        _, found, told = error.message.partition(_BODY_PROBLEM)
        return f"the server {told}" if found else "it sent what cannot be read"
    return shortened(storable_text(error.message), _LONGEST_MESSAGE)


def _reason(error: BaseException) -> str | None:
    """Why there is no connection; None for what should not happen."""
    if isinstance(error, BaseExceptionGroup):
        group = cast("BaseExceptionGroup[BaseException]", error)
        return _reason(group.exceptions[0])
    match error:
        case MCPError():
            return _message(error)
        case anyio.BrokenResourceError():
            return "the connection ended"
        case FileNotFoundError():
            return "there is no such program"
        case TimeoutError():
            return "it took too long"
        case OSError():
            return (error.strerror or "it cannot be reached").lower()
        case ValueError() | RuntimeError() | anyio.ClosedResourceError():
            return "it speaks another protocol"
        case _:
            return None

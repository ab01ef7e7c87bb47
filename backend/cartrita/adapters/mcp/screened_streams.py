"""Messages of a server before the SDK acts on them: how many may come, and what is taken out."""

import time
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import TracebackType
from typing import Final, Self, TypeAlias, cast

import structlog
from mcp.client._transport import ReadStream, TransportStreams
from mcp.shared.message import SessionMessage
from mcp.types import JSONRPCNotification, JSONRPCRequest, JSONRPCResponse

from cartrita.adapters.mcp.screened_tools import screen_tools

Transport: TypeAlias = AbstractAsyncContextManager[TransportStreams]

_MOST_UNASKED: Final = 6000
"""Of a minute. The SDK starts a task for each, 0.2 ms; a tool that tells its progress ten times a
second needs 600."""
_MINUTE: Final = 60.0

log = structlog.get_logger()


@asynccontextmanager
async def screened(
    transport: Transport, server: str, on_end: Callable[[], None]
) -> AsyncGenerator[TransportStreams]:
    """The streams of a transport; `on_end` is called when no more messages will come."""
    async with transport as (incoming, outgoing):
        yield _Screened(incoming, server, on_end), outgoing


class _Screened:
    """The messages of a stream; it ends where more are sent that answer nothing than are taken."""

    def __init__(
        self,
        stream: ReadStream[SessionMessage | Exception],
        server: str,
        on_end: Callable[[], None],
    ) -> None:
        self._stream = stream
        self._server = server
        self._on_end = on_end
        self._unasked = 0
        self._since = time.monotonic()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> SessionMessage | Exception:
        try:
            item = await self._stream.__anext__()
            if isinstance(item, SessionMessage):
                self._look_at(item)
        except Exception:  # StopAsyncIteration, or what a broken stream raises
            self._on_end()
            raise
        return item

    async def receive(self) -> SessionMessage | Exception:
        return await self.__anext__()

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def __aenter__(self) -> Self:
        await self._stream.__aenter__()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> bool | None:
        return await self._stream.__aexit__(exc_type, exc_val, exc_tb)

    def _look_at(self, item: SessionMessage) -> None:
        message = item.message
        if isinstance(message, JSONRPCResponse):
            screen_tools(cast("dict[str, object]", message.result), self._server)
        elif isinstance(message, JSONRPCRequest | JSONRPCNotification):
            self._count()

    def _count(self) -> None:
        now = time.monotonic()
        if now - self._since > _MINUTE:
            self._since, self._unasked = now, 0
        self._unasked += 1
        if self._unasked > _MOST_UNASKED:
            log.warning("tool_server_floods", server=self._server)
            raise StopAsyncIteration

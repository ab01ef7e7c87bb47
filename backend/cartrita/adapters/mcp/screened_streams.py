"""Messages of a server before the SDK acts on them: how many may come, and what is taken out."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import TracebackType
from typing import Any, Generic, Self, TypeAlias, TypeVar, cast

from mcp.client._transport import ReadStream, TransportStreams, WriteStream
from mcp.shared.message import SessionMessage
from mcp.types import JSONRPCError, JSONRPCRequest, JSONRPCResponse

from cartrita.adapters.mcp.screened_tools import screen_tools
from cartrita.adapters.mcp.unasked import Unasked

S = TypeVar("S", bound=ReadStream[Any] | WriteStream[Any])

Transport: TypeAlias = AbstractAsyncContextManager[TransportStreams]


@asynccontextmanager
async def screened(
    transport: Transport, server: str, on_end: Callable[[], None]
) -> AsyncGenerator[TransportStreams]:
    """The streams of a transport; `on_end` is called when no more messages will come."""
    async with transport as (incoming, outgoing):
        asked = _Asked()
        yield _Screened(incoming, server, on_end, asked), _Asking(outgoing, asked)


class _Asked:
    """Requests that were sent, less the answers that came: further ones answer nothing.

    Their ids are not looked at, so that what is never answered takes no room.
    """

    def __init__(self) -> None:
        self._open = 0

    def add(self) -> None:
        self._open += 1

    def take(self) -> bool:
        """Whether one was open, which is answered now."""
        was_open = self._open > 0
        self._open -= was_open
        return was_open


class _OfStream(Generic[S]):
    """A stream that is opened and closed with the one that it is made of."""

    def __init__(self, stream: S) -> None:
        self._stream = stream

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


class _Asking(_OfStream[WriteStream[SessionMessage]]):
    """The stream to a server, whose requests are counted."""

    def __init__(self, stream: WriteStream[SessionMessage], asked: _Asked) -> None:
        super().__init__(stream)
        self._asked = asked

    async def send(self, item: SessionMessage, /) -> None:
        if isinstance(item.message, JSONRPCRequest):
            self._asked.add()
        await self._stream.send(item)


class _Screened(_OfStream[ReadStream[SessionMessage | Exception]]):
    """The messages of a stream; it ends where more are sent that answer nothing than are taken."""

    def __init__(
        self,
        stream: ReadStream[SessionMessage | Exception],
        server: str,
        on_end: Callable[[], None],
        asked: _Asked,
    ) -> None:
        super().__init__(stream)
        self._server = server
        self._on_end = on_end
        self._asked = asked
        self._unasked = Unasked(server)

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

    def _look_at(self, item: SessionMessage) -> None:
        message = item.message
        if isinstance(message, JSONRPCResponse):
            screen_tools(cast("dict[str, object]", message.result), self._server)
        answers = isinstance(message, JSONRPCResponse | JSONRPCError) and self._asked.take()
        if not answers and self._unasked.exceeded():
            raise StopAsyncIteration

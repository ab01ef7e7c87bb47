"""A WebSocket to Deepgram: what is sent is taken in time, and what is waited for may be left."""

import asyncio

from cartrita.adapters.http.web_sockets import SocketClosed, WebSocket
from cartrita.adapters.speech.deepgram_errors import NAME, closed_error
from cartrita.adapters.speech.deepgram_service import DeepgramService
from cartrita.domain.errors import UpstreamCut, UpstreamError


class DeepgramSocket:
    """Messages to and from Deepgram. One task receives; any may send, and wake it."""

    def __init__(self, service: DeepgramService, socket: WebSocket) -> None:
        self._service = service
        self._socket = socket
        self._loop = asyncio.get_running_loop()
        self._waiting: asyncio.Timeout | None = None
        self.sent_at = self._loop.time()
        """When the last message was sent, as the loop's time."""

    async def send(self, message: str | bytes) -> None:
        """Raises UpstreamError."""
        try:
            async with asyncio.timeout(self._service.idle):
                await self._socket.send(message)
        except TimeoutError:
            limit = self._service.idle
            raise UpstreamCut(f"{NAME} took nothing for {limit:g} s.", provider=NAME) from None
        except SocketClosed as closed:
            raise self.error_of(closed) from None
        self.sent_at = self._loop.time()

    async def receive(self, due: float | None) -> str | bytes | None:
        """The next message; None where none came until this time, or somebody has called `wake`.

        Raises SocketClosed.
        """
        try:
            async with asyncio.timeout_at(due) as self._waiting:
                return await self._socket.receive()
        except TimeoutError:
            return None
        finally:
            self._waiting = None

    def wake(self) -> None:
        """Let whoever receives look at what has changed."""
        if self._waiting is not None and not self._waiting.expired():
            self._waiting.reschedule(self._loop.time())

    def error_of(self, closed: SocketClosed) -> UpstreamError:
        """The error of its end, where more was expected."""
        return closed_error(closed, self._service.key)

"""Frames are tried: what one says is done, or an error frame tells why it is not."""

from collections.abc import Awaitable, Callable

import structlog

from cartrita.domain.errors import CartritaError
from cartrita.surfaces.inbound_limits import inbound_limits_of
from cartrita.surfaces.native.request_bodies import RequestModel
from cartrita.surfaces.native.websocket.client_frames import (
    AckFrame,
    FrameModels,
    PingFrame,
    ReceivedFrame,
    Reference,
    parse_frame,
)
from cartrita.surfaces.native.websocket.server_frames import error_frame
from cartrita.surfaces.native.websocket.socket_kind import SocketRoom

log = structlog.get_logger(__name__)


class FrameAttempts:
    """Does what one client's frames say, each counted as a request is."""

    def __init__(
        self,
        room: SocketRoom,
        models: FrameModels,
        act: Callable[[RequestModel], Awaitable[None]],
    ) -> None:
        self._limits = inbound_limits_of(room.connection)
        self._principal = room.principal
        self._send = room.send
        self._models = models
        self._act = act

    async def take(self, text: str) -> None:
        """Do what a frame says."""
        try:
            received = parse_frame(text)
        except CartritaError as error:
            await self.refuse(error, Reference())
            return
        await self.attempt(received.reference, self._take(received))

    async def attempt(self, reference: Reference, work: Awaitable[None]) -> None:
        """Do this; what goes wrong is told with the reference."""
        try:
            await work
        except CartritaError as error:
            await self.refuse(error, reference)
        except Exception:
            log.exception("request_failed", method="frame")
            error = CartritaError("Something broke on our side; the log knows it.")
            await self.refuse(error, reference)

    async def refuse(self, error: CartritaError, reference: Reference) -> None:
        """Tell an error."""
        await self._send(error_frame(error, reference))

    async def _take(self, received: ReceivedFrame) -> None:
        frame = received.validated(self._models)
        if not isinstance(frame, PingFrame | AckFrame):
            self._limits.count_frame(self._principal)
        await self._act(frame)

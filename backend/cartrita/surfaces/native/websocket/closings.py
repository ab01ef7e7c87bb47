"""Why a socket is closed: the code of its close frame, and the last frame before it."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from secrets import randbelow
from types import MappingProxyType
from typing import Final, Self

import msgspec
from starlette.types import Send

from cartrita.domain.errors import (
    CartritaError,
    DeadlineExceeded,
    ErrorKind,
    Malformed,
    RateLimited,
    TooLarge,
)
from cartrita.surfaces.native.websocket.client_frames import Reference
from cartrita.surfaces.native.websocket.server_frames import DrainFrame, encode, error_frame

GOING_AWAY: Final = 1001
INVALID_DATA: Final = 1007
NOT_ALLOWED: Final = 1008
TOO_BIG: Final = 1009
INTERNAL: Final = 1011
IDLE: Final = 4408
LIMITED: Final = 4429

_CODES: Final = {
    ErrorKind.UNAUTHENTICATED: NOT_ALLOWED,
    ErrorKind.FORBIDDEN: NOT_ALLOWED,
    ErrorKind.MALFORMED: NOT_ALLOWED,
    ErrorKind.INVALID: NOT_ALLOWED,
    ErrorKind.RATE_LIMITED: LIMITED,
}
CODES: Final[Mapping[int, str]] = MappingProxyType(
    {
        GOING_AWAY: "The server is about to stop: come back after `retry_after` of the last frame.",
        INVALID_DATA: "A frame that is no message here.",
        NOT_ALLOWED: "Nobody is authenticated, or whoever is may not do this any more.",
        TOO_BIG: "A message is longer than the server takes.",
        INTERNAL: "The server failed, or the client answered no ping.",
        IDLE: "Nothing was sent for too long.",
        LIMITED: "Too many frames, sockets, or viewers of a desktop.",
    }
)
"""What is told of them in the contract."""
_RETRY_RANGE_MS = (1000, 3000)
_LONGEST_REASON = 123
"""In bytes (RFC 6455, 5.5)."""
_CLOSING_S = 2.0
LEFT: Final = 1005
"""The client closed the connection, or it was lost: as ASGI tells it."""


class Closing(msgspec.Struct, frozen=True):
    """The end of a socket; `reason` is a sentence for the log of whoever reads close frames."""

    code: int
    reason: str
    last_frame: str | None = None

    @classmethod
    def of(cls, error: CartritaError, code: int | None = None) -> Self:
        """The end for an error, which is sent before it."""
        chosen = _CODES.get(error.kind, INTERNAL) if code is None else code
        return cls(chosen, error.message, error_frame(error, Reference()))

    @classmethod
    def drained(cls) -> Self:
        """The end because the server is about to stop: not all come back at once."""
        low, high = _RETRY_RANGE_MS
        frame = encode(DrainFrame((low + randbelow(high - low)) / 1000))
        return cls(GOING_AWAY, "this server is about to stop: come back", frame)

    @classmethod
    def idle(cls) -> Self:
        """The end of one on which nothing happened for too long."""
        error = DeadlineExceeded("Nothing was sent for too long: open another.", code="idle")
        return cls.of(error, IDLE)

    async def send(self, send: Send) -> None:
        """Close a socket so, unless its client takes nothing any more."""
        reason = self.reason.encode()[:_LONGEST_REASON].decode(errors="ignore")
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(_CLOSING_S):
                if self.last_frame is not None:
                    await send({"type": "websocket.send", "text": self.last_frame})
                await send({"type": "websocket.close", "code": self.code, "reason": reason})


class SocketEnded(Exception):
    """A socket ends with `closing`, or has been left by its client."""

    def __init__(self, closing: Closing | None = None) -> None:
        super().__init__()
        self.closing = closing


LAST_FRAMES: Final[Mapping[int, str]] = MappingProxyType(
    {
        code: error_frame(error, Reference())
        for code, error in {
            INVALID_DATA: Malformed("A text frame is not UTF-8.", code="invalid_utf8"),
            TOO_BIG: TooLarge("A message is longer than the server takes."),
            LIMITED: RateLimited(
                "Too many frames: send fewer of them, and slower.", code="too_many_frames"
            ),
        }.items()
    }
)
"""By close code, what is told before the server closes for what came before it was a message."""

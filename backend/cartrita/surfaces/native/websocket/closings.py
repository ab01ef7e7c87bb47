"""Why a socket is closed: the code of its close frame, and the last frame before it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Self

import msgspec

from cartrita.domain.errors import CartritaError, ErrorKind, Malformed, RateLimited, TooLarge
from cartrita.surfaces.native.websocket.client_frames import Reference
from cartrita.surfaces.native.websocket.server_frames import error_frame

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
_LONGEST_REASON = 123
"""In bytes (RFC 6455, 5.5)."""


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

    @property
    def short_reason(self) -> str:
        """The reason, cut to what a close frame holds."""
        return self.reason.encode()[:_LONGEST_REASON].decode(errors="ignore")


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

"""What a test may have the stand-in do instead of, or in the middle of, an answer."""

from typing import Literal, TypeAlias

import msgspec

Place: TypeAlias = Literal[
    "POST /v1/listen", "WS /v1/listen", "POST /v1/speak", "WS /v1/speak", "GET /v1/projects"
]
Shape: TypeAlias = Literal["legacy", "modern", "text"]


class Refuse(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Answer with this status; a WebSocket's handshake too. The shapes are those of Deepgram."""

    status: int
    shape: Shape = "legacy"
    code: str = "Bad Request"
    message: str = "Bad Request: it was asked for."
    headers: dict[str, str] = {}


class Page(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Answer with a body of any kind."""

    status: int
    content_type: str
    body: str


class Close(msgspec.Struct, frozen=True, tag=True):
    """Close a WebSocket with this code and reason."""

    code: int
    reason: str = ""


class Cut(msgspec.Struct, frozen=True, tag=True):
    """Break the connection off, with a reset or without."""

    reset: bool = True


class Hang(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Send nothing any more, and leave what comes unread unless it `reads`."""

    reads: bool = True


class Send(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Send a frame of this text, or of so many bytes, and go on."""

    text: str | None = None
    size: int = 0


class Raw(msgspec.Struct, frozen=True, tag=True):
    """Send bytes that are of no protocol, and go on."""

    data: bytes


Deed: TypeAlias = Refuse | Page | Close | Cut | Hang | Send | Raw


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """Do this at a place, after so many frames or pieces were sent; to `times` requests."""

    at: Place
    do: Deed
    after: int = 0
    times: int = 1


class Delays(msgspec.Struct, frozen=True, kw_only=True):
    """How long it takes, in seconds: until an answer begins, until each word is spoken, and until
    what was heard live is told."""

    answer: float = 0.0
    word: float = 0.0
    hearing: float = 0.0

"""What the server does on the socket to answer one request, as values in order.

The end of the steps is the clean end of the body.
"""

from collections.abc import Iterator

import msgspec


class Head(msgspec.Struct, frozen=True):
    """Send status and headers; `length` is the Content-Length, None where it is not known."""

    status: int
    headers: tuple[tuple[str, str], ...]
    length: int | None = None


class Send(msgspec.Struct, frozen=True):
    """Send bytes of the body, which carry so many tokens of the answer.

    `terminal` bytes are what tells a reader of this dialect that a stream is whole.
    """

    data: bytes
    tokens: int = 0
    terminal: bool = False


class Wait(msgspec.Struct, frozen=True):
    seconds: float


class Hang(msgspec.Struct, frozen=True):
    """Do nothing until the client leaves."""


class Cut(msgspec.Struct, frozen=True):
    """Close the connection now: with a TCP reset, or in order but in the middle of the answer."""

    reset: bool


Step = Head | Send | Wait | Hang | Cut
Steps = Iterator[Step]

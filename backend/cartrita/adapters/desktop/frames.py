"""Frames of a desktop's socket: four bytes of length, and JSON, or a piece of what is shown."""

import asyncio
import struct
from typing import Final, TypeVar, cast

import msgspec

from cartrita.adapters.desktop.orders import Answer, HostLine, Request

T = TypeVar("T")

LONGEST: Final = 4 << 20
"""In bytes. A call of 64 texts, each of 10,000 characters of six bytes in JSON, has 3,850,000."""
MOST_SHOWN: Final = 64 << 10
"""In bytes, of one piece."""
_PASSED_OVER: Final = 64 << 10
"""In bytes, at once."""
_HEAD: Final = struct.Struct(">I")

request_decoder = msgspec.json.Decoder(cast("type[Request]", Request))
answer_decoder = msgspec.json.Decoder(cast("type[Answer]", Answer))
line_decoder = msgspec.json.Decoder(cast("type[HostLine]", HostLine))


class FrameTooLong(ValueError):
    """Nothing is read of a frame but its `size`."""

    def __init__(self, size: int) -> None:
        super().__init__("The frame is too long.")
        self.size = size


def frame(content: Request | Answer) -> bytes:
    """A request or an answer as a frame."""
    text = msgspec.json.encode(content)
    return _HEAD.pack(len(text)) + text


def piece(data: bytes) -> bytes:
    """What a viewer is shown as a frame; an empty one comes before an answer, which is the last."""
    return _HEAD.pack(len(data)) + data


async def read_piece(reader: asyncio.StreamReader) -> bytes:
    """The next piece for a viewer. Raises EOFError at the end, and ValueError for what is none."""
    (size,) = _HEAD.unpack(await reader.readexactly(_HEAD.size))
    if size > MOST_SHOWN:
        raise ValueError("The piece is too long.")
    return await reader.readexactly(size)


async def read_frame(reader: asyncio.StreamReader, decoder: msgspec.json.Decoder[T]) -> T:
    """The next frame.

    Raises EOFError at the end, FrameTooLong, and ValueError for what is none.
    """
    (size,) = _HEAD.unpack(await reader.readexactly(_HEAD.size))
    if size > LONGEST:
        raise FrameTooLong(size)
    return decoder.decode(await reader.readexactly(size))


async def pass_over(reader: asyncio.StreamReader, size: int) -> None:
    """Read so many bytes and keep none. Raises EOFError at the end."""
    while size:
        size -= len(await reader.readexactly(min(size, _PASSED_OVER)))

"""Frames of a desktop's socket: four bytes of length, and JSON, or a piece of what is shown."""

import asyncio
import struct
from typing import Final, TypeVar, cast

import msgspec

from cartrita.adapters.desktop.orders import Answer, HostLine, Request

T = TypeVar("T")

LONGEST: Final = 2 << 20
"""In bytes. 32 secrets of 10,000 characters take at most 1,920,000 in JSON."""
MOST_SHOWN: Final = 64 << 10
"""In bytes, of one piece."""
_HEAD: Final = struct.Struct(">I")

request_decoder = msgspec.json.Decoder(cast("type[Request]", Request))
answer_decoder = msgspec.json.Decoder(cast("type[Answer]", Answer))
line_decoder = msgspec.json.Decoder(cast("type[HostLine]", HostLine))


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
    """The next frame. Raises EOFError at the end, and ValueError for what is none."""
    (size,) = _HEAD.unpack(await reader.readexactly(_HEAD.size))
    if size > LONGEST:
        raise ValueError("The frame is too long.")
    return decoder.decode(await reader.readexactly(size))

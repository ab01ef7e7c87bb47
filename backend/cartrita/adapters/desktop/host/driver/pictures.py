"""Pictures of a screen from its pixels: with the pointer drawn, enlarged, as PNG."""

import struct
import zlib
from typing import TypeAlias

from PIL import Image, ImageChops

from cartrita.adapters.desktop.host.driver.x_server import Cursor
from cartrita.domain.desktop import Area, Point
from cartrita.domain.desktop_places import COMPARED, LONGEST_SHOWN, MOST_SHOWN

Pixels: TypeAlias = bytes | bytearray


def drawn(pixels: Pixels, width: int, height: int, cursor: Cursor) -> Image.Image:
    """The picture of BGRX pixels, with the pointer on it."""
    picture = Image.frombuffer("RGB", (width, height), pixels, "raw", "BGRX", 0, 1)
    if not cursor.width or not cursor.height:
        return picture
    size = (cursor.width, cursor.height)
    pointer = Image.frombuffer("RGBA", size, cursor.pixels, "raw", "BGRa", 0, 1)
    picture.paste(pointer, (cursor.at.x - cursor.hot.x, cursor.at.y - cursor.hot.y), pointer)
    return picture


def alike(one: Pixels, other: Pixels, size: tuple[int, int], at: Point) -> bool:
    """Whether each pixel around a place is the same on two screens of BGRX pixels.

    None may differ: a point that becomes a comma, a minus that comes, or a letter, are no more than
    a cursor of text is.
    """
    width, height = COMPARED
    box = (at.x - width // 2, at.y - height // 2, at.x + width // 2, at.y + height // 2)
    parts = [
        Image.frombuffer("RGB", size, each, "raw", "BGRX", 0, 1).crop(box) for each in (one, other)
    ]
    return ImageChops.difference(*parts).getbbox() is None


def enlarged(picture: Image.Image, area: Area) -> Image.Image:
    """A part of a picture, as large as the whole allows; its aspect is kept."""
    part = picture.crop((area.left, area.top, area.right, area.bottom))
    return sized(part, enlarged_size(part.size, picture.size))


def sized(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """A picture in another size."""
    return picture if size == picture.size else picture.resize(size, Image.Resampling.BICUBIC)


def enlarged_size(part: tuple[int, int], whole: tuple[int, int]) -> tuple[int, int]:
    """The largest size of the aspect of `part` in `whole`, and in what vendors take."""
    width, height = part
    factor = min(
        whole[0] / width,
        whole[1] / height,
        LONGEST_SHOWN / max(part),
        (MOST_SHOWN / (width * height)) ** 0.5,
    )
    return max(1, int(width * factor)), max(1, int(height * factor))


def png(picture: Image.Image) -> bytes:
    """A picture of RGB as PNG, in half of the time that Pillow takes.

    Rows are not filtered: screens are flat, and zlib's fastest level finds their repetitions.
    """
    width, height = picture.size
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    # Each row has a byte more, which is zero: that of the filter, if one is put before the first.
    rows = memoryview(picture.tobytes("raw", "RGB", width * 3 + 1))[:-1]
    deflate = zlib.compressobj(1)
    data = (deflate.compress(b"\0"), deflate.compress(rows), deflate.flush())
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", header),
            _chunk(b"IDAT", b"".join(data)),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

"""Pictures of a screen from its pixels: with the pointer drawn, enlarged, as PNG."""

import struct
import zlib
from typing import Final, TypeAlias

from PIL import Image, ImageChops

from cartrita.adapters.desktop.host.driver.x_server import Cursor
from cartrita.domain.desktop import Area, Point
from cartrita.domain.desktop_places import AROUND, LONGEST_SHOWN, MOST_SHOWN

Pixels: TypeAlias = bytes | bytearray
_CURSOR: Final = 60
"""So many pixels of that may differ: a cursor of text that blinks has two or three columns."""
_BLOCK: Final = 13
"""Or it is a block of so many pixels in width and height at most, of which all change, if what is
written below it is not blurred; of letters that become others much stays as it was.
"""


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
    """Whether two screens of BGRX pixels are the same around a place, but for a cursor of text."""
    width, height = AROUND
    box = (at.x - width // 2, at.y - height // 2, at.x + width // 2, at.y + height // 2)
    parts = [
        Image.frombuffer("RGB", size, each, "raw", "BGRX", 0, 1).crop(box) for each in (one, other)
    ]
    changed = ImageChops.difference(*parts).convert("L")
    count = width * height - changed.histogram()[0]
    return count <= _CURSOR or _is_block(changed.getbbox(), count)


def _is_block(box: tuple[int, int, int, int] | None, count: int) -> bool:
    """Whether so many pixels within their bounds are a cursor of text that covers a letter."""
    if box is None:
        return False
    left, top, right, bottom = box
    width, height = right - left, bottom - top
    return max(width, height) <= _BLOCK and count >= 0.9 * width * height


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

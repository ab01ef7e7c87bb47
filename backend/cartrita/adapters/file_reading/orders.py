"""What the process that reads a file is told, and what it answers, line by line."""

from typing import Final, TypeAlias

import msgspec

LONGEST_PAGE: Final = 100_000
"""In characters: what has no pages of its own, or longer ones, is cut into such parts."""


class ReadingBounds(msgspec.Struct, frozen=True, kw_only=True):
    """What reading one file may take.

    `seconds` are those of a processor and of a clock, `memory_bytes` the address space. Of archives
    the unpacked parts count. Images have at most so many `image_pixels`, and are made anew with at
    most `image_edge` in width and height.
    """

    seconds: float = 120.0
    memory_bytes: int = 1 << 30
    pages: int = 5_000
    characters: int = 2_000_000
    archive_bytes: int = 200 << 20
    archive_members: int = 20_000
    image_pixels: int = 40_000_000
    image_edge: int = 2_048


class ReadingOrder(msgspec.Struct, frozen=True):
    """The file on standard input is of this type."""

    media_type: str
    bounds: ReadingBounds


class PageLine(msgspec.Struct, frozen=True, tag="page"):
    """The text of a page, from 1, and how much of the file has been read, 0 to 1."""

    number: int
    text: str
    progress: float


class ImageLine(msgspec.Struct, frozen=True, tag="image"):
    """An image of so many bytes, which follow."""

    media_type: str
    size: int


class UnreadableLine(msgspec.Struct, frozen=True, tag="unreadable"):
    """Why the file cannot be read."""

    reason: str


class EndLine(msgspec.Struct, frozen=True, tag="end"):
    """All of it has been read."""


Line: TypeAlias = PageLine | ImageLine | UnreadableLine | EndLine

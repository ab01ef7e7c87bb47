"""Plain text: UTF-8, UTF-16 with its mark, or else Windows' Latin letters."""

import codecs
from collections.abc import Iterator
from typing import BinaryIO

from cartrita.adapters.file_reading.orders import ReadingBounds
from cartrita.domain.files import UnreadableFile
from cartrita.domain.media_types import is_text

_LONGEST_CHARACTER = 4
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def pages(file: BinaryIO, bounds: ReadingBounds) -> Iterator[tuple[str, float]]:
    """The whole text as one page, or several where it has form feeds."""
    text = decoded(file, bounds)
    parts = text.split("\f")
    for number, part in enumerate(parts, 1):
        yield part, number / len(parts)


def decoded(file: BinaryIO, bounds: ReadingBounds) -> str:
    """All of a text. Raises UnreadableFile."""
    most = bounds.characters * _LONGEST_CHARACTER
    octets = file.read(most + 1)
    if len(octets) > most:
        raise UnreadableFile(f"Its text is longer than {bounds.characters:,} characters.")
    if not is_text(octets):
        raise UnreadableFile("It begins as text, and goes on as something else.")
    if octets.startswith(_UTF_16):
        return octets.decode("utf-16", errors="replace")
    try:
        return octets.decode("utf-8-sig")
    except UnicodeDecodeError:
        return octets.decode("cp1252", errors="replace")

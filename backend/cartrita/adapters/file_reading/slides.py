"""The slides of a presentation, a page each, in their order."""

import re
from collections.abc import Iterator
from typing import BinaryIO

from cartrita.adapters.file_reading.archives import Archive, attribute
from cartrita.adapters.file_reading.orders import ReadingBounds
from cartrita.domain.files import UnreadableFile

_PRESENTATION = "ppt/presentation.xml"
_SLIDE = re.compile(r"ppt/slides/slide(\d+)\.xml")


def pages(file: BinaryIO, bounds: ReadingBounds) -> Iterator[tuple[str, float]]:
    """The text of each slide."""
    archive = Archive(file, bounds)
    if _PRESENTATION not in archive.names:
        raise UnreadableFile("It is damaged: its slides are missing.")
    slides = list(_slides(archive))
    for number, part in enumerate(slides, 1):
        yield _text(archive, part), number / len(slides)


def _slides(archive: Archive) -> Iterator[str]:
    parts = archive.relations(_PRESENTATION)
    for _, tag, element in archive.elements(_PRESENTATION):
        part = parts.get(attribute(element, "id") or "", "") if tag == "sldId" else ""
        if _SLIDE.fullmatch(part):
            yield part


def _text(archive: Archive, part: str) -> str:
    pieces: list[str] = []
    for _, tag, element in archive.elements(part):
        if tag == "t":
            pieces.append(element.text or "")
        elif tag in ("p", "br"):
            pieces.append("\n")
        elif tag == "tc":
            pieces.append("\t")
    return "".join(pieces)

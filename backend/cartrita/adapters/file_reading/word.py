"""The pages of a Word document, where its writer has left their breaks."""

from collections.abc import Iterator
from typing import BinaryIO

from cartrita.adapters.file_reading.archives import Archive, attribute
from cartrita.adapters.file_reading.orders import ReadingBounds
from cartrita.domain.files import UnreadableFile

_DOCUMENT = "word/document.xml"
_BREAK = "\f"
_MARKS = {"tab": "\t", "tc": "\t", "p": "\n", "cr": "\n", "lastRenderedPageBreak": _BREAK}


def pages(file: BinaryIO, bounds: ReadingBounds) -> Iterator[tuple[str, float]]:
    """The text of each page that has any; a document without breaks is one page."""
    archive = Archive(file, bounds)
    if _DOCUMENT not in archive.names:
        raise UnreadableFile("It is damaged: its text is missing.")
    found = [each for each in "".join(_pieces(archive)).split(_BREAK) if each.strip()]
    for number, text in enumerate(found, 1):
        yield text, number / len(found)


def _pieces(archive: Archive) -> Iterator[str]:
    for _, tag, element in archive.elements(_DOCUMENT):
        if tag == "t":
            yield (element.text or "").replace(_BREAK, " ")
        elif tag == "br":
            yield _BREAK if attribute(element, "type") == "page" else "\n"
        else:
            yield _MARKS.get(tag, "")

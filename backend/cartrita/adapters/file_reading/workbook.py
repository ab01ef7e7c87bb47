"""The sheets of a workbook, a page each: a line for each row, its cells separated by tabs."""

from collections.abc import Iterator
from typing import Any, BinaryIO

from cartrita.adapters.file_reading.archives import Archive, attribute
from cartrita.adapters.file_reading.orders import ReadingBounds
from cartrita.domain.files import UnreadableFile

_WORKBOOK = "xl/workbook.xml"
_STRINGS = "xl/sharedStrings.xml"


def pages(file: BinaryIO, bounds: ReadingBounds) -> Iterator[tuple[str, float]]:
    """The text of each sheet, under its name."""
    archive = Archive(file, bounds)
    if _WORKBOOK not in archive.names:
        raise UnreadableFile("It is damaged: its sheets are missing.")
    parts = archive.relations(_WORKBOOK)
    sheets = [
        (element.get("name", ""), parts.get(attribute(element, "id") or "", ""))
        for _, tag, element in archive.elements(_WORKBOOK)
        if tag == "sheet"
    ]
    strings = list(_strings(archive))
    for number, (name, part) in enumerate(sheets, 1):
        rows = "\n".join(_rows(archive, part, strings))
        yield f"{name}\n{rows}", number / len(sheets)


def _strings(archive: Archive) -> Iterator[str]:
    pieces: list[str] = []
    for _, tag, element in archive.elements(_STRINGS):
        if tag == "t":
            pieces.append(element.text or "")
        elif tag == "si":
            yield "".join(pieces)
            pieces = []


def _rows(archive: Archive, part: str, strings: list[str]) -> Iterator[str]:
    cells: list[str] = []
    value = ""
    for _, tag, element in archive.elements(part):
        if tag in ("v", "t"):
            value += element.text or ""
        elif tag == "c":
            cells.append(_cell(element, value, strings))
            value = ""
        elif tag == "row":
            if any(cells):
                yield "\t".join(cells)
            cells = []


def _cell(element: Any, value: str, strings: list[str]) -> str:  # noqa: ANN401 - an element of XML
    if element.get("t") != "s":
        return value
    number = int(value or 0)
    return strings[number] if 0 <= number < len(strings) else ""

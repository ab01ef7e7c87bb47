"""The process that reads one file, from its standard input: `python -m ...main ORDER`."""

import logging
import sys
from collections.abc import Iterator
from importlib import import_module
from types import MappingProxyType
from typing import BinaryIO, Final, Protocol, cast

import msgspec

from cartrita.adapters.file_reading.orders import (
    LONGEST_PAGE,
    EndLine,
    ImageLine,
    Line,
    PageLine,
    ReadingBounds,
    ReadingOrder,
    UnreadableLine,
)
from cartrita.adapters.processes.bounds import ProcessBounds, apply
from cartrita.adapters.processes.descriptors import close_inherited
from cartrita.adapters.processes.walls import shut_in
from cartrita.domain.files import UnreadableFile
from cartrita.domain.media_types import DOCX, HTML, IMAGES, PDF, PPTX, SVG, XLSX
from cartrita.kit.text import storable_text

_TOO_MUCH_MEMORY = "It takes more memory to read than there is for one file."
_DAMAGED = "It is damaged, or not what its first bytes say."
_MODULES: Final = MappingProxyType(
    {
        PDF: "pdf",
        DOCX: "word",
        XLSX: "workbook",
        PPTX: "slides",
        HTML: "markup",
        SVG: "markup",
        "application/xml": "plain",
    }
)
"""By media type: the module that reads it; images have theirs, and all else is plain text."""


class _Module(Protocol):
    """A module that reads one kind of file."""

    def pages(self, file: BinaryIO, bounds: ReadingBounds) -> Iterator[tuple[str, float]]:
        """The text of each page, and how much of the file has been read with it."""
        ...


class _ImageModule(Protocol):
    def remade(self, file: BinaryIO, bounds: ReadingBounds) -> tuple[str, bytes]:
        """The media type and the bytes of the image, made anew."""
        ...


def main() -> None:
    """Read the file, shut in, and write what is found. It exits with 0 unless it is killed."""
    close_inherited()
    order = msgspec.json.decode(sys.argv[1], type=ReadingOrder)
    logging.disable()
    module = _module(order.media_type)  # while files of ours can be read
    bounds = order.bounds
    apply(ProcessBounds(seconds=bounds.seconds, memory_bytes=bounds.memory_bytes, processes=0))
    shut_in()
    try:
        _read(order, module, sys.stdin.buffer)
    except UnreadableFile as error:
        _write(UnreadableLine(str(error)))
    except MemoryError:
        _write(UnreadableLine(_TOO_MUCH_MEMORY))
    except Exception:  # noqa: BLE001 - a reader of some format raises anything for a broken file
        _write(UnreadableLine(_DAMAGED))
    else:
        _write(EndLine())


def _read(order: ReadingOrder, module: object, file: BinaryIO) -> None:
    if order.media_type in IMAGES:
        media_type, octets = cast("_ImageModule", module).remade(file, order.bounds)
        _write(ImageLine(media_type, len(octets)))
        sys.stdout.buffer.write(octets)
        return
    number = characters = 0
    for text, progress in cast("_Module", module).pages(file, order.bounds):
        for part in _parts(storable_text(text)):
            number += 1
            characters += len(part)
            _require_bounds(number, characters, order.bounds)
            _write(PageLine(number, part, round(progress, 4)))


def _module(media_type: str) -> object:
    name = "images" if media_type in IMAGES else _MODULES.get(media_type, "plain")
    return import_module(f"cartrita.adapters.file_reading.{name}")


def _parts(text: str) -> Iterator[str]:
    """The page itself, or parts of one that is too long, which end with a line where one ends."""
    while len(text) > LONGEST_PAGE:
        end = text.rfind("\n", LONGEST_PAGE // 2, LONGEST_PAGE) + 1 or LONGEST_PAGE
        yield text[:end]
        text = text[end:]
    yield text


def _require_bounds(pages: int, characters: int, bounds: ReadingBounds) -> None:
    if pages > bounds.pages:
        raise UnreadableFile(f"It has more than {bounds.pages:,} pages.")
    if characters > bounds.characters:
        raise UnreadableFile(f"Its text is longer than {bounds.characters:,} characters.")


def _write(line: Line) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(line) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()

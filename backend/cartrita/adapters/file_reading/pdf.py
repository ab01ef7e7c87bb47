"""The pages of a PDF, by pypdf, and by pdfminer where pypdf cannot open it and that is there."""

from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from typing import Any, BinaryIO, cast

from pypdf import PdfReader

from cartrita.adapters.file_reading.orders import ReadingBounds
from cartrita.domain.files import UnreadableFile

_LOCKED = "It is protected by a password."


def pages(file: BinaryIO, bounds: ReadingBounds) -> Iterator[tuple[str, float]]:
    """The text of each page."""
    try:
        reader = PdfReader(file)
        if reader.is_encrypted and not reader.decrypt(""):
            raise UnreadableFile(_LOCKED)
        count = len(reader.pages)
    except (UnreadableFile, MemoryError):
        raise
    except Exception:  # noqa: BLE001 - pypdf raises anything for a broken file
        file.seek(0)
        yield from _by_pdfminer(file, bounds)
        return
    _require_pages(count, bounds)
    for number, page in enumerate(reader.pages, 1):
        yield _text_of(page), number / count


def _text_of(page: Any) -> str:  # noqa: ANN401 - a page of pypdf
    """The text of a page; none where only this page is broken."""
    try:
        return page.extract_text()
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - as above
        return ""


def _require_pages(count: int, bounds: ReadingBounds) -> None:
    if count > bounds.pages:
        raise UnreadableFile(f"It has {count:,} pages, and at most {bounds.pages:,} are read.")


def _by_pdfminer(file: BinaryIO, bounds: ReadingBounds) -> Iterator[tuple[str, float]]:
    try:
        high_level = cast("Any", import_module("pdfminer.high_level"))
    except ImportError:
        raise UnreadableFile("It is damaged: its table of contents is missing.") from None
    number = 0
    for layout in high_level.extract_pages(file, maxpages=bounds.pages + 1):
        number += 1
        _require_pages(number, bounds)
        texts: list[str] = []
        for element in layout:
            with suppress(AttributeError):
                texts.append(element.get_text())
        yield "".join(texts), 0.5
    if not number:
        raise UnreadableFile("It is damaged: no page of it can be found.")

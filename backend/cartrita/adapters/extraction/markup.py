"""The text of a page of HTML, and of a drawing in SVG, without scripts and styles."""

from collections.abc import Iterator
from html.parser import HTMLParser
from typing import BinaryIO

from cartrita.adapters.extraction.orders import ReadingBounds
from cartrita.adapters.extraction.plain import decoded

_SILENT = frozenset({"script", "style", "template", "noscript"})
# fmt: off
_LINES = frozenset({
    "address", "article", "aside", "blockquote", "br", "dd", "div", "dl", "dt", "fieldset",
    "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr",
    "li", "main", "nav", "ol", "p", "pre", "section", "table", "text", "title", "tr", "ul",
})
# fmt: on
_PIECE = 1 << 16


def pages(file: BinaryIO, bounds: ReadingBounds) -> Iterator[tuple[str, float]]:
    """All of its text as one page."""
    source = decoded(file, bounds)
    reader = _Reader()
    for start in range(0, len(source), _PIECE):
        reader.feed(source[start : start + _PIECE])
    reader.close()
    yield reader.text(), 1.0


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._pieces: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in _SILENT
        if tag in _LINES:
            self._pieces.append("\n")
        elif tag in ("td", "th"):
            self._pieces.append("\t")

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self._silent = max(0, self._silent - 1)
        if tag in _LINES:
            self._pieces.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._pieces.append(data)

    def text(self) -> str:
        """What it says, one block a line."""
        lines = (" ".join(line.split()) for line in "".join(self._pieces).split("\n"))
        return "\n".join(line for line in lines if line)

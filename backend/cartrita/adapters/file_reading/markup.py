"""The text of a page of HTML, and of a drawing in SVG, without scripts and styles."""

from collections.abc import Iterator
from typing import BinaryIO

from cartrita.adapters.file_reading.orders import ReadingBounds
from cartrita.adapters.file_reading.plain import decoded
from cartrita.kit.html_tokens import StartTag, tokens

_SILENT = frozenset({"script", "style", "template", "noscript"})
# fmt: off
_LINES = frozenset({
    "address", "article", "aside", "blockquote", "br", "dd", "div", "dl", "dt", "fieldset",
    "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr",
    "li", "main", "nav", "ol", "p", "pre", "section", "table", "text", "title", "tr", "ul",
})
# fmt: on
_CELLS = frozenset({"td", "th"})


def pages(file: BinaryIO, bounds: ReadingBounds) -> Iterator[tuple[str, float]]:
    """All of its text as one page."""
    source = decoded(file, bounds)
    lines = (" ".join(line.split()) for line in "".join(_pieces(source)).split("\n"))
    yield "\n".join(line for line in lines if line), 1.0


def _pieces(source: str) -> Iterator[str]:
    """What it says, with white space where elements begin and end."""
    silent = 0
    for token in tokens(source, most=len(source)):
        if isinstance(token, str):
            if not silent:
                yield token
            continue
        opens = isinstance(token, StartTag)
        if token.name in _SILENT:
            silent = max(0, silent + (1 if opens else -1))
        if token.name in _LINES:
            yield "\n"
        elif opens and token.name in _CELLS:
            yield "\t"

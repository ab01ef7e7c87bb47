"""The tags and texts of HTML, in one pass whose time grows with the page and nothing else.

Trees are not made: a page of a megabyte of opened tags takes a parser of HTML 5 six minutes. What
is malformed is read somehow, as a reader of text needs no more.
"""

import html
import re
from collections.abc import Iterator
from typing import Final, TypeAlias

import msgspec

_LONGEST_TAG: Final = 8192
"""What is longer, or has quotes that do not end, is skipped up to its `>`."""
_MARKUP: Final = re.compile(r"<[a-zA-Z/!?]")
_TAG: Final = re.compile(r"""<(/?)([a-zA-Z][^\s/>]*+)((?:[^>"']|"[^"]*+"|'[^']*+')*+)>""")
_ATTRIBUTE: Final = re.compile(
    r"""([^\s"'>/=]++)(?:\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s"'=<>`]++)))?"""
)
_RAW: Final = {
    name: re.compile(rf"</{name}(?=[\s/>])", re.I)
    for name in ("script", "style", "title", "textarea", "xmp", "iframe", "noembed", "noframes")
}
"""Elements in which nothing is a tag but their own end."""


class StartTag(msgspec.Struct, frozen=True):
    """A tag that opens an element; its attributes are read when somebody asks."""

    name: str
    source: str

    def attributes(self) -> dict[str, str]:
        """Its attributes, by names in lower case; of equal names the first."""
        found: dict[str, str] = {}
        for match in _ATTRIBUTE.finditer(self.source):
            value = match[2] or match[3] or match[4] or ""
            found.setdefault(match[1].lower(), html.unescape(value))
        return found


class EndTag(msgspec.Struct, frozen=True):
    """A tag that ends an element."""

    name: str


Token: TypeAlias = StartTag | EndTag | str
"""A tag, or a text without entities."""


def tokens(page: str, most: int = 200_000) -> Iterator[Token]:
    """What a page consists of, up to so many pieces of markup.

    Comments, and what scripts and styles hold, are left out.
    """
    at = 0
    for _ in range(most):
        markup = _MARKUP.search(page, at)
        opened = markup.start() if markup else len(page)
        if opened > at:
            yield html.unescape(page[at:opened])
        if markup is None:
            return
        match = _TAG.match(page, opened, opened + _LONGEST_TAG)
        if match is None:
            at = _after_markup(page, opened)
        elif match[1]:
            yield EndTag(match[2].lower())
            at = match.end()
        else:
            tag = StartTag(match[2].lower(), match[3])
            yield tag
            at = match.end()
            if (end := _RAW.get(tag.name)) is not None:
                ended = end.search(page, at)
                inside = page[at : ended.start() if ended else len(page)]
                if tag.name == "title":
                    yield html.unescape(inside)
                yield EndTag(tag.name)
                at = _after_markup(page, ended.start()) if ended else len(page)


def _after_markup(page: str, opened: int) -> int:
    """Where the text goes on after a comment, a declaration or a tag that is none."""
    closing = "-->" if page.startswith("<!--", opened) else ">"
    closed = page.find(closing, opened + 2)
    return len(page) if closed < 0 else closed + len(closing)

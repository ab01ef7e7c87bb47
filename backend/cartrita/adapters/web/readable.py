"""The text of a web page that somebody would read: what is around it is left out."""

import re
from collections import Counter
from collections.abc import Iterable
from typing import Final
from urllib.parse import urljoin

import msgspec

from cartrita.domain.web import LONGEST_URL
from cartrita.kit.html_tokens import EndTag, StartTag, tokens
from cartrita.kit.text import storable_text


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


LONGEST_TITLE: Final = 300
_DEEPEST: Final = 500
"""Elements within each other; those below are read as if they were not there."""
_VOID: Final = _names("area base br col embed hr img input link meta param source track wbr")
_HEADINGS: Final = {f"h{level}": "#" * level + " " for level in range(1, 7)}
_BLOCKS: Final = _names(
    "address article aside blockquote body caption center dd details dialog div dl dt fieldset "
    "figcaption figure footer form header hgroup hr legend li main menu nav ol p pre section "
    "summary table tbody tfoot thead tr ul h1 h2 h3 h4 h5 h6"
)
_CLOSED_BY_THEMSELVES: Final = _names("dd dt li option p td th tr")
_UNREAD: Final = _names(
    "audio button canvas datalist dialog head iframe map math menu noscript object script select "
    "style svg template textarea title video"
)
_AROUND: Final = _names("aside footer form nav")
_ROLES_AROUND: Final = _names("banner complementary contentinfo menu navigation search")
_INSIDE: Final = _names("article main")
_NOT_SHOWN: Final = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.I)
_SPACE: Final = re.compile(r"[ \t\r\n\f\xa0]+")
_BREAK: Final = "\v"
"""Where a line is broken in a paragraph."""
_LEAST_INSIDE: Final = 200
"""Characters that what is marked as the main part must have to be believed."""


class Readable(msgspec.Struct, frozen=True):
    """The title of a page, and its text: headings and lists as in Markdown, links with them."""

    title: str
    text: str


class _Block(msgspec.Struct, frozen=True):
    """A paragraph, heading, item or row; `linked` is how much of its text are links.

    One that is `close` follows others of its kind without an empty line.
    """

    text: str
    length: int
    linked: int
    heading: bool
    close: bool
    inside: bool
    around: bool

    @property
    def own(self) -> int:
        """Characters that are no links."""
        return self.length - self.linked


def readable(page: str, url: str) -> Readable:
    """What is to be read of the HTML at an address."""
    reader = _Reader(url)
    for token in tokens(page):
        if isinstance(token, str):
            reader.text(token)
        elif isinstance(token, EndTag):
            reader.end(token.name)
        else:
            reader.start(token)
    reader.flush()
    title = storable_text(_one_line(reader.title))[:LONGEST_TITLE]
    return Readable(title, storable_text(_joined(_chosen(reader.blocks))))


class _Reader:
    """Reads the tokens of a page in order, and keeps its blocks."""

    def __init__(self, url: str) -> None:
        self.blocks: list[_Block] = []
        self.title = ""
        self._base = url
        self._open: list[tuple[str, frozenset[str]]] = []
        self._names: Counter[str] = Counter()
        self._marks: dict[str, int] = {"unread": 0, "around": 0, "inside": 0, "pre": 0, "link": 0}
        self._parts: list[str] = []
        self._prefix = ""
        self._close = False
        self._length = self._linked = 0
        self._link = ""
        self._link_began = 0
        self._in_title = False

    def text(self, text: str) -> None:
        """A text between tags."""
        if self._in_title:
            self.title = text
        elif not self._marks["unread"]:
            self._parts.append(text)
            length = len(text.strip())
            self._length += length
            if self._marks["link"]:
                self._linked += length

    def start(self, tag: StartTag) -> None:
        """An element begins."""
        name = tag.name
        self._separate(name)
        if name in ("title", "meta"):
            self._note_title(tag)
        if name in _VOID:
            return
        if name in _CLOSED_BY_THEMSELVES and self._open and self._open[-1][0] == name:
            self._pop()
        if len(self._open) < _DEEPEST:
            marks = _marks_of(tag)
            self._open.append((name, marks))
            self._names[name] += 1
            for mark in marks:
                self._marks[mark] += 1
            if "link" in marks:
                self._begin_link(tag)

    def end(self, name: str) -> None:
        """An element ends, and what is open in it."""
        self._in_title = False
        if name in _BLOCKS:
            self.flush()
        if self._names[name]:
            while self._pop() != name:
                pass

    def flush(self) -> None:
        """A block ends."""
        if self._marks["link"]:
            self._end_link()
        whole = "".join(self._parts)
        code = self._marks["pre"] > 0
        text = whole.replace(_BREAK, "\n").strip("\n") if code else _lines(whole)
        if text.strip():
            block = _Block(
                f"```\n{text}\n```" if code else self._prefix + text,
                self._length,
                min(self._linked, self._length),
                heading=self._prefix.startswith("#"),
                close=self._close,
                inside=self._marks["inside"] > 0,
                around=self._marks["around"] > 0,
            )
            self.blocks.append(block)
        self._parts.clear()
        self._prefix = ""
        self._close = False
        self._length = self._linked = 0
        self._link_began = 0

    def _separate(self, name: str) -> None:
        """Begin a block, a line or a cell, if that is what an element does."""
        if name in _BLOCKS:
            self.flush()
            self._prefix = _HEADINGS.get(name, "- " if name == "li" else "")
            self._close = name in ("li", "tr")
        elif name == "br":
            self._parts.append(_BREAK)
        elif name in ("td", "th") and self._length:
            self._parts.append(" | ")

    def _note_title(self, tag: StartTag) -> None:
        if tag.name == "title":
            self._in_title = not self.title and not self._names["svg"]
        elif "og:title" in tag.source:
            attributes = tag.attributes()
            if attributes.get("property") == "og:title" and attributes.get("content"):
                self.title = attributes["content"]

    def _begin_link(self, tag: StartTag) -> None:
        href = tag.attributes().get("href", "")
        self._link = self._address(href)
        self._link_began = len(self._parts)

    def _end_link(self) -> None:
        """Write what was read of a link as one, unless it leads to the page itself."""
        link, self._link = self._link, ""
        if not link:  # of links in each other the innermost alone is written
            return
        words = _one_line("".join(self._parts[self._link_began :]))
        if words and not self._marks["unread"]:
            del self._parts[self._link_began :]
            self._parts.append(f"[{words}]({link})")

    def _address(self, href: str) -> str:
        if not href or href.startswith(("#", "javascript:", "mailto:", "data:")):
            return ""
        try:
            url = urljoin(self._base, href.strip())
        except ValueError:
            return ""
        usable = url.startswith(("http://", "https://")) and len(url) <= LONGEST_URL
        return "" if not usable or re.search(r"[\s()<>]", url) else url

    def _pop(self) -> str:
        name, marks = self._open.pop()
        self._names[name] -= 1
        if "link" in marks:
            self._end_link()
        for mark in marks:
            self._marks[mark] -= 1
        return name


def _marks_of(tag: StartTag) -> frozenset[str]:
    """What an element means for all that is in it."""
    name, source = tag.name, tag.source
    marks: set[str] = set()
    if name in _UNREAD:
        marks.add("unread")
    if name in _AROUND:
        marks.add("around")
    if name in _INSIDE:
        marks.add("inside")
    if name == "pre":
        marks.add("pre")
    if name == "a":
        marks.add("link")
    if "hidden" in source or "style" in source or "role" in source:
        marks |= _marks_of_attributes(tag.attributes())
    return frozenset(marks)


def _marks_of_attributes(attributes: dict[str, str]) -> set[str]:
    marks: set[str] = set()
    if (
        "hidden" in attributes
        or attributes.get("aria-hidden") == "true"
        or _NOT_SHOWN.search(attributes.get("style", ""))
    ):
        marks.add("unread")
    role = attributes.get("role")
    if role in _ROLES_AROUND:
        marks.add("around")
    if role == "main":
        marks.add("inside")
    return marks


def _chosen(blocks: list[_Block]) -> Iterable[_Block]:
    """The blocks to read.

    Those of the part that the page marks as its main one, if that holds much of its text; else
    what is longer than what is around it as a rule, with the headings above; else everything, as
    of a page of links.
    """
    shown = [block for block in blocks if not block.around] or blocks
    total = sum(block.own for block in shown)
    inside = [block for block in shown if block.inside]
    if sum(block.own for block in inside) >= max(_LEAST_INSIDE, total / 4):
        return inside
    kept = _long_ones(shown)
    if kept and sum(block.own for block in kept) * 2 >= total:
        return kept
    return shown


def _long_ones(blocks: list[_Block]) -> list[_Block]:
    """Blocks of text, and the short ones between two of them; headings only above one."""
    long = [block.own >= 80 and block.linked * 3 <= block.length for block in blocks]
    kept: list[_Block] = []
    for number, block in enumerate(blocks):
        near = any(long[max(number - 2, 0) : number]) and any(long[number + 1 : number + 3])
        above = block.heading and any(long[number + 1 : number + 3])
        if long[number] or above or (near and block.linked * 2 <= block.length):
            kept.append(block)
    return kept


def _joined(blocks: Iterable[_Block]) -> str:
    parts: list[str] = []
    close = False
    for block in blocks:
        if parts:
            parts.append("\n" if close and block.close else "\n\n")
        parts.append(block.text)
        close = block.close
    return "".join(parts)


def _lines(text: str) -> str:
    """The lines of a paragraph, without empty ones."""
    if _BREAK not in text:
        return _one_line(text)
    return "\n".join(filter(None, map(_one_line, text.split(_BREAK))))


def _one_line(text: str) -> str:
    return _SPACE.sub(" ", text).strip()

"""The bodies of pages as text: their type, their compression and their encoding."""

import re
import zlib
from collections.abc import Mapping
from typing import Final

from cartrita.domain.errors import UnsupportedMedia

HTML: Final = frozenset(("text/html", "application/xhtml+xml"))
_TEXT: Final = re.compile(
    r"text/[\w.+-]+|application/(?:[\w.-]+\+)?(?:json|xml|yaml|x-yaml|toml|javascript|ld\+json|x-ndjson)"
)
_CHARSET: Final = re.compile(r"charset\s*=\s*[\"']?([\w.:-]{1,40})", re.I)
_META: Final = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?([\w.:-]{1,40})", re.I)
_ENCODINGS: Final = re.compile(
    r"utf-?8|utf-?16(?:le|be)?|us-ascii|ascii|iso-?8859-?\d{1,2}|latin-?1|windows-?12\d\d|cp12\d\d|"
    r"koi8-?[ru]|gbk|gb2312|gb18030|big5|euc-?jp|euc-?kr|iso-2022-jp|shift[_-]?jis|macintosh",
    re.I,
)
"""Encodings of pages; Python knows others, some of which take quadratic time."""
_WIDE: Final = (b"\xff\xfe", b"\xfe\xff")
_MARKS: Final = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16le"), (b"\xfe\xff", "utf-16be"))


def media_type(headers: Mapping[str, str], body: bytes = b"") -> str:
    """The type of a body, in lower case. Raises UnsupportedMedia for what is no text."""
    told, _, more = headers.get("content-type", "").lower().partition(";")
    told = told.strip()
    if not told:
        told = "text/html" if body.lstrip()[:1] == b"<" else "text/plain"
    if told not in HTML and not _TEXT.fullmatch(told):
        raise UnsupportedMedia(
            f"What is there is of the type {told[:80]}: only web pages and texts can be read."
        )
    if b"\0" in body[:1024] and "utf-16" not in more and not body.startswith(_WIDE):
        raise UnsupportedMedia("What is there is no text, although it says so.")
    return told


def text_of(headers: Mapping[str, str], body: bytes) -> str:
    """The text of a body, by what it says of its encoding, else as UTF-8."""
    for mark, encoding in _MARKS:
        if body.startswith(mark):
            return body[len(mark) :].decode(encoding, "replace")
    told = _CHARSET.search(headers.get("content-type", ""))
    named = told[1] if told else ""
    if not named and (meta := _META.search(body[:2048])):
        named = meta[1].decode("latin-1")
    if not _ENCODINGS.fullmatch(named):
        named = "utf-8"
    return body.decode(named, "replace")


class Inflating:
    """Undoes the compression of a body, up to `most` bytes.

    Raises UnsupportedMedia for any but gzip and deflate, which were not asked for either.
    """

    def __init__(self, headers: Mapping[str, str], most: int) -> None:
        encoding = headers.get("content-encoding", "identity").strip().lower()
        if encoding not in ("identity", "gzip", "x-gzip", "deflate", ""):
            raise UnsupportedMedia(f"The page is compressed as {encoding[:40]}.")
        compressed = encoding not in ("identity", "")
        self._inflate = zlib.decompressobj(47) if compressed else None
        self._most = most
        self.body = bytearray()

    @property
    def full(self) -> bool:
        """Whether no more is read."""
        return len(self.body) >= self._most

    def feed(self, piece: bytes) -> None:
        """The next piece of what was sent."""
        left = self._most - len(self.body)
        if self._inflate is None:
            self.body += piece[:left]
            return
        try:
            self.body += self._inflate.decompress(piece, left)
        except zlib.error:
            raise UnsupportedMedia("The page is compressed in a way that is not known.") from None

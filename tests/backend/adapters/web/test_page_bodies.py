"""What is read as text, in which encoding, and how much of what is compressed."""

import gzip
import zlib

import pytest

from cartrita.adapters.web.page_bodies import Inflating, media_type, text_of
from cartrita.domain.errors import UnsupportedMedia


@pytest.mark.parametrize(
    ("told", "body", "kind"),
    [
        ("text/html; charset=utf-8", b"", "text/html"),
        ("Text/Plain", b"x", "text/plain"),
        ("application/problem+json", b"{}", "application/problem+json"),
        ("application/xhtml+xml", b"<html>", "application/xhtml+xml"),
        ("application/rss+xml", b"<rss>", "application/rss+xml"),
        ("", b"  <html>", "text/html"),
        ("", b"words", "text/plain"),
        ("text/plain; charset=utf-16le", b"a\0b\0", "text/plain"),
        ("text/plain", b"\xff\xfea\0", "text/plain"),
    ],
)
def test_types(told: str, body: bytes, kind: str) -> None:
    assert media_type({"content-type": told}, body) == kind


@pytest.mark.parametrize(
    ("told", "body"),
    [
        ("image/png", b""),
        ("application/pdf", b"%PDF-1.7"),
        ("application/octet-stream", b""),
        ("text/html", b"\x7fELF\0\0"),
    ],
)
def test_what_is_no_text(told: str, body: bytes) -> None:
    with pytest.raises(UnsupportedMedia):
        media_type({"content-type": told}, body)


@pytest.mark.parametrize(
    ("told", "body", "text"),
    [
        ("text/html", "Bücher".encode(), "Bücher"),
        ("text/html; charset=ISO-8859-1", b"B\xfccher", "Bücher"),
        ('text/html; charset="windows-1252"', b"\x93x\x94", "“x”"),
        ("text/html", b"<meta charset=latin-1>B\xfccher", "<meta charset=latin-1>Bücher"),
        (
            "text/html",
            b'<meta http-equiv=x content="text/html; charset=Shift_JIS">\x82\xa0',
            '<meta http-equiv=x content="text/html; charset=Shift_JIS">あ',
        ),
        ("text/html; charset=utf-16", b"\xfe\xff\0x", "x"),
        ("text/html; charset=latin-1", b"\xef\xbb\xbf\xc3\xa4", "ä"),
        ("text/html; charset=punycode", b"abc-", "abc-"),
        ("text/html; charset=rot13", b"abc", "abc"),
        ("text/html", b"\xff", "\ufffd"),
    ],
)
def test_encodings(told: str, body: bytes, text: str) -> None:
    assert text_of({"content-type": told}, body) == text


def read(body: bytes, most: int, encoding: str) -> bytes:
    inflating = Inflating({"content-encoding": encoding}, most)
    for at in range(0, len(body), 10):
        if not inflating.full:
            inflating.feed(body[at : at + 10])
    return bytes(inflating.body)


def test_a_body_is_read_up_to_a_size() -> None:
    text = b"moss " * 100
    assert read(text, 1000, "identity") == text
    assert read(text, 7, "identity") == b"moss mo"
    for encoding, sent in (("gzip", gzip.compress(text)), ("deflate", zlib.compress(text))):
        assert read(sent, 1000, encoding) == text
        assert read(sent, 7, encoding) == b"moss mo"


def test_a_bomb_is_read_up_to_the_size() -> None:
    bomb = gzip.compress(b"\0" * (50 << 20))
    assert len(read(bomb, 1 << 20, "gzip")) == 1 << 20


def test_what_cannot_be_inflated() -> None:
    with pytest.raises(UnsupportedMedia, match="as br"):
        Inflating({"content-encoding": "br"}, 10)
    with pytest.raises(UnsupportedMedia, match="not known"):
        read(b"no gzip at all", 10, "gzip")

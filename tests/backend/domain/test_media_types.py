"""Types of files by their first bytes, whatever their names claim."""

import signal
from types import FrameType

import pytest
from tests.harness.documents import archive, docx, pdf, png, pptx, xlsx

from cartrita.domain import media_types
from cartrita.domain.media_types import DOCX, HTML, PDF, PPTX, SVG, UNKNOWN, XLSX, ZIP

SAMPLES = [
    (pdf("x"), "a.txt", PDF),
    (png(1, 1), "a.pdf", "image/png"),
    (b"\xff\xd8\xff\xe0", "a", "image/jpeg"),
    (b"GIF89a/*", "a.js", "image/gif"),
    (b"RIFF\0\0\0\0WEBPVP8 ", "a", "image/webp"),
    (b"RIFF\0\0\0\0WAVEfmt ", "a", "audio/wav"),
    (b"XXXX\0\0\0\0WEBP", "a", UNKNOWN),
    (b"ID3\x04", "a", "audio/mpeg"),
    (b"\xff\xfb\x90\x00", "a", "audio/mpeg"),
    (b"OggS\0", "a", "audio/ogg"),
    (b"\0\0\0\x20ftypisom", "a", "video/mp4"),
    (b"\0\0\0\x20ftypM4A ", "a", "audio/mp4"),
    (docx("x"), "a.zip", DOCX),
    (xlsx({"a": []}), "a.docx", XLSX),
    (pptx("x"), "a.docx", PPTX),
    (archive({"[Content_Types].xml": "<Types/>"}), "a.docx", DOCX),
    (archive({"x": "y"}), "a.docx", ZIP),
    (b"\x7fELF\x02", "a.txt", "application/x-executable"),
    (b"MZ\x90\0\x03", "a.txt", UNKNOWN),
    (b"#!/bin/sh\n", "a.sh", "text/plain"),
    (b"a,b\n1,2\n", "a.CSV", "text/csv"),
    (b"# Title\n", "README.md", "text/markdown"),
    (b'{"a": 1}', "a.json", "application/json"),
    (b"print(1)\n", "a.py", "text/plain"),
    (b"  <!DOCTYPE html><p>", "a.txt", HTML),
    (b"\xef\xbb\xbf<html>", "a.txt", HTML),
    (b"<?xml version='1.0'?><!-- x --><svg onload=''>", "a.txt", SVG),
    (b"\n<!-- <p> --> <!--x--><HTML>", "a.txt", HTML),
    (b"<!--><script>", "a.txt", HTML),
    (b"<!-- <html> ", "a.txt", "text/plain"),
    (b"<?xml ", "a.txt", "text/plain"),
    (b"<script>alert(1)</script>", "a.md", HTML),
    (b"<?xml version='1.0'?><note/>", "a.xml", "application/xml"),
    ("grüße".encode("utf-16"), "a.txt", "text/plain"),
    ("grüße".encode("latin-1"), "a.txt", "text/plain"),
    (b"text\0with a zero", "a.txt", UNKNOWN),
]


@pytest.mark.parametrize(("head", "name", "found"), SAMPLES)
def test_types(head: bytes, name: str, found: str) -> None:
    assert media_types.sniffed_type(head, name) == found


def _too_long(_signal: int, _frame: FrameType | None) -> None:
    raise TimeoutError


@pytest.mark.parametrize(
    "piece",
    [b" ", b"\n", b"<!---->", b"<!--", b"<!-- ", b"<?xml>", b"<?xml", b"<!doctype ", b"\xff"],
)
def test_what_repeats_is_looked_at_once(piece: bytes) -> None:
    head = piece * (media_types.HEAD_BYTES // len(piece)) + b"x"
    before = signal.signal(signal.SIGALRM, _too_long)
    signal.alarm(10)
    try:
        assert media_types.sniffed_type(head, "a.txt") == "text/plain"
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize(
    ("patterns", "allowed"),
    [
        (("image/*",), True),
        (("image/png",), True),
        (("*/*",), True),
        (("image/jpeg", "text/*"), False),
        ((), False),
    ],
)
def test_allowed_types(patterns: tuple[str, ...], allowed: bool) -> None:
    assert media_types.allows(patterns, "image/png") is allowed


def test_only_what_is_played_is_shown_as_it_came() -> None:
    shown = [kind for _, _, kind in SAMPLES if media_types.is_inline(kind)]
    assert set(shown) == {"audio/wav", "audio/mpeg", "audio/ogg", "audio/mp4", "video/mp4"}

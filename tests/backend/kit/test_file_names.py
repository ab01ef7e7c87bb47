"""Names of files: what is left of them when nobody can be fooled by them any more."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.backend.examples import examples

from cartrita.kit.file_names import LONGEST, ending_of, safe_name


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        ("report.pdf", "report.pdf"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("C:\\Users\\ann\\a.txt", "a.txt"),
        ("/", "file"),
        ("", "file"),
        ("..", "file"),
        (".htaccess", "htaccess"),
        ("a\0b.txt", "ab.txt"),
        ("a\r\nSet-Cookie: x", "aSet-Cookie: x"),
        ("photo\u202egpj.exe", "photogpj.exe"),
        ("  spaced   out .txt ", "spaced out .txt"),
        ("u\u0308ber.md", "über.md"),
        ("half\ud800.txt", "half\ufffd.txt"),
        ("x" * 4096 + ".pdf", "x" * 251 + ".pdf"),
        ("ü" * 4096, "ü" * 127),
        ("x" * 300 + "." + "y" * 300, "x" * 255),
    ],
)
def test_names(given_name: str, kept: str) -> None:
    assert safe_name(given_name) == kept


@given(st.text(max_size=600))
@examples
def test_every_name_is_safe(name: str) -> None:
    kept = safe_name(name)
    assert 0 < len(kept.encode()) <= LONGEST
    assert not set(kept) & set("/\\\0\r\n\u202e")
    assert kept not in (".", "..")
    assert safe_name(kept) == kept


@pytest.mark.parametrize(
    ("name", "ending"),
    [("a.PDF", ".pdf"), ("a", ""), ("a.", ""), ("a.tar.gz", ".gz"), ("a." + "x" * 40, "")],
)
def test_endings(name: str, ending: str) -> None:
    assert ending_of(name) == ending

"""Titles, made from first messages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.backend.examples import examples

from cartrita.application.conversations.titles import UNTITLED, derive_title


@pytest.mark.parametrize(
    ("message", "title"),
    [
        ("Hello", "Hello"),
        ("  two   words \n and a second line", "two words"),
        ("\n\n \t\nat last", "at last"),
        ("", UNTITLED),
        (" \n\t ", UNTITLED),
        ("x" * 60, "x" * 60),
        ("x" * 61, "x" * 60 + "…"),
        ("word " * 12 + "end", "word " * 11 + "word…"),
        ("a" * 59 + " b", "a" * 59 + "…"),
        ("a" * 60 + " b", "a" * 60 + "…"),
    ],
)
def test_the_first_line_cut_at_a_word(message: str, title: str) -> None:
    assert derive_title(message) == title


@examples
@given(st.text(max_size=200))
def test_it_is_short_whole_and_never_empty(message: str) -> None:
    title = derive_title(message)
    assert 0 < len(title) <= 61
    assert title == " ".join(title.split())
    assert title == UNTITLED or title.removesuffix("…") in " ".join(message.split())

"""A continuation says nothing twice and loses nothing, however it comes in pieces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.backend.examples import examples

from cartrita.gateway.seams import Seam


def joined(said: str, pieces: list[str], unsaid: str = "") -> str:
    seam = Seam(said, unsaid)
    return said + "".join(seam.feed(piece) for piece in pieces) + seam.end()


@pytest.mark.parametrize(
    ("said", "continued", "whole"),
    [
        ("The answer is for", "ty-two.", "The answer is forty-two."),
        ("The answer is for", " answer is forty-two.", "The answer is forty-two."),
        ("The answer", "The answer is forty-two.", "The answer is forty-two."),
        ("The", "The answer", "The answer"),
        ("ha", "ha ha", "haha ha"),
        ("no", "nothing", "nonothing"),
        ("a, b, a, b", ", a, b, c", "a, b, a, b, c"),
        ("He laughs: ha ha ha ", "ha ha ha and goes.", "He laughs: ha ha ha ha ha ha and goes."),
        ("all the the the ", "the the end", "all the the the the the end"),
        ("|---|---|---", "|---|\n", "|---|---|---|---|\n"),
        ("one two. one two. ", "one two. three", "one two. one two. one two. three"),
        ("so: one two. ", "one two. three", "so: one two. three"),
        ("The answer is", "The answer was", "The answer isThe answer was"),
        ("Hello", "", "Hello"),
        ("Hello world", "Hello world", "Hello world"),
    ],
)
def test_repetitions_are_left_out(said: str, continued: str, whole: str) -> None:
    assert joined(said, [continued]) == whole
    assert joined(said, list(continued)) == whole


@pytest.mark.parametrize("continued", ["\n\nThen", "Then"])
def test_white_space_that_the_model_did_not_see_is_said_once(continued: str) -> None:
    assert joined("First.\n\n", list(continued), "\n\n") == "First.\n\nThen"


def test_what_cannot_be_a_repetition_goes_out_at_once() -> None:
    seam = Seam("The answer is for")
    assert seam.feed("ty") == "ty"
    assert seam.feed("-two") == "-two"


@examples
@given(st.text("ab ", max_size=60), st.lists(st.text("ab ", max_size=8), max_size=12))
def test_pieces_make_no_difference(said: str, pieces: list[str]) -> None:
    whole = joined(said, pieces)
    assert whole == joined(said, ["".join(pieces)])
    assert whole.endswith("".join(pieces)[-1:] if len(whole) > len(said) else "")


@examples
@given(st.text(min_size=20, max_size=300), st.text(min_size=1), st.integers(6, 20))
def test_a_repeated_tail_is_said_once(said: str, new: str, length: int) -> None:
    marked = f"{said}\x00{'~'.join('abcdefghijklmnop')}"
    assert joined(marked, [marked[-length:] + "\x01" + new]) == marked + "\x01" + new

"""An answer has the same sentences in whatever pieces it comes, and none of what is not read."""

import sys
from types import FrameType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.backend.examples import examples

from cartrita.application.voice.live.read_aloud import read_aloud
from cartrita.application.voice.live.sentences import LONGEST, Sentences

PIECES = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ["# ", "\n", "\n\n", "```", "```py\n", "~~~\n", "| a | b |\n", "a | b\n",
         "--- | ---\n", "|", "- ", "1. ", "*", "_", "`",
         "Dr. ", "e.g. ", "3.14", ". ", "! ", "? ", "。", "…", "[a](https://x.y/z)", "😀", "word "]
    ),
)  # fmt: skip


def of(*pieces: str) -> list[str]:
    sentences = Sentences()
    return [one for piece in pieces for one in sentences.take(piece)] + sentences.finish()


@examples
@given(pieces=st.lists(PIECES, max_size=40), cuts=st.data())
def test_pieces_do_not_matter(pieces: list[str], cuts: st.DataObject) -> None:
    text = "".join(pieces)
    whole = of(text)
    assert of(*pieces) == whole
    assert of(*text) == whole
    at = cuts.draw(st.integers(0, len(text)))
    assert of(text[:at], text[at:]) == whole


@examples
@given(pieces=st.lists(PIECES, max_size=40))
def test_each_can_be_read_and_is_not_long(pieces: list[str]) -> None:
    for sentence in of("".join(pieces)):
        assert any(one.isalnum() for one in sentence)
        assert len(sentence) <= LONGEST
        assert "```" not in sentence
        assert sentence == sentence.strip()


@examples
@given(pieces=st.lists(PIECES, max_size=40), more=st.lists(PIECES, max_size=10))
def test_what_has_ended_does_not_change(pieces: list[str], more: list[str]) -> None:
    sentences = Sentences()
    known = [one for piece in pieces for one in sentences.take(piece)]
    assert of(*pieces, *more)[: len(known)] == known


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Moss grows. Slowly!", ["Moss grows.", "Slowly!"]),
        ("It is 3.14 m. Yes", ["It is 3.14 m. Yes"]),
        ("It is 3.14 metres. Yes", ["It is 3.14 metres.", "Yes"]),
        ("Dr. Who met Mr. Day, i.e. me.", ["Dr. Who met Mr. Day, i.e. me."]),
        ("Am 3. Mai kam z.B. Post. Gut.", ["Am 3. Mai kam z.B. Post.", "Gut."]),
        ('He said "No." Then left.', ['He said "No."', "Then left."]),
        ("We use approx. five. Or six.", ["We use approx. five.", "Or six."]),
        ("Wait... what? Yes", ["Wait... what?", "Yes"]),
        ("石は古い。苔。", ["石は古い。", "苔。"]),
        ("# Title\nText", ["Title", "Text"]),
        ("- one\n- two\n1. three", ["one", "two", "three"]),
        ("A line that\ngoes on.\n\nNext", ["A line that goes on.", "Next"]),
        ("See:\n```py\nprint('No. No.')\n```\nDone.", ["See:", "Done."]),
        ("```\nnever closed. Really.", []),
        ("~~~\n```\ncode\n~~~\nText", ["Text"]),
        ("Table:\n| a | b |\n|---|---|\n| 1 | 2 |\nEnd", ["Table:", "End"]),
        ("It costs 5. Buy it.", ["It costs 5.", "Buy it."]),
        ("I am 30. You are 40! He?", ["I am 30.", "You are 40!", "He?"]),
        ("Use version 3.5. It is 12.", ["Use version 3.5.", "It is 12."]),
        ("With Python 3.5 and 2.7 it works.", ["With Python 3.5 and 2.7 it works."]),
        ("1. Open it.\n2. Close it.", ["Open it.", "Close it."]),
        ("Steps: 1. Open it. 2. Close it.", ["Steps: 1. Open it.", "2. Close it."]),
        ("Table:\na | b\n--- | ---\n1 | 2\n3 | 4\nEnd", ["Table:", "End"]),
        ("a | b\n:-:|---\n1. x | 2\n\nEnd | 5", ["End 5"]),
        ("| a | b\n--- | ---\n1 | 2", []),
        ("One.\na | b\n-|-", ["One."]),
        ("Either a | b or\n--- is text. Yes", ["Either a b or --- is text.", "Yes"]),
        ("Call this | that. Then go.", ["Call this that.", "Then go."]),
        ("", []),
        ("***\n---\n", []),
    ],
)
def test_where_they_end(text: str, expected: list[str]) -> None:
    assert of(text) == expected


LONG_TEXT = "Moss grows slowly on old stones, and nobody waters it. " * 200


@pytest.mark.parametrize(
    "text",
    [LONG_TEXT, f"```\n{LONG_TEXT}\n```\n", " " * len(LONG_TEXT), f"| {LONG_TEXT}"],
    ids=["text", "code", "blanks", "row"],
)
def test_a_long_text_is_not_looked_at_letter_by_letter(text: str) -> None:
    """Told by the calls that it takes, as time is no measure on a busy machine."""
    calls = 0

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        Sentences().take(text)
    finally:
        sys.setprofile(before)
    assert calls < len(text)


def test_a_long_one_is_cut_where_one_breathes() -> None:
    first, *others = of("Stones are old, and moss is not. ".replace(". ", ", ") * 20)
    assert first.endswith(",")
    assert others
    assert of("x" * 1000)[0] == "x" * LONGEST


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("**Bold** and *slanted* and `code_name`", "Bold and slanted and code name"),
        ("See [the page](https://a.b/c?d=e#f) now", "See the page now"),
        ('A [link](/x "its title").', "A link."),
        ("A picture: ![a tree](tree.png)", "A picture:"),
        ("Go to https://example.org/a.b?c=d.", "Go to."),
        ("Mail <mailto:a@b.c> or www.example.org!", "Mail or!"),
        ("It is known [1][2], and noted[^3].", "It is known, and noted."),
        ("<b>Loud</b> &amp; clear", "Loud & clear"),
        ("25 °C at 100 % \u00a9", "25 °C at 100 % ©"),
        ("Hi 😀 👍🏽 \U0001f469\u200d\U0001f680 there", "Hi there"),
        ("snake_case, __init__ and 5 * 3", "snake case, init and 5 3"),
        ("a \\* b \\_ c", "a b c"),
        ("😀 !!! --- ***", ""),
        ("2 < 3 and 4 > 1", "2 < 3 and 4 > 1"),
    ],
)
def test_what_is_read(raw: str, expected: str) -> None:
    assert read_aloud(raw) == expected

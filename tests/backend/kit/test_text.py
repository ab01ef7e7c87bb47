"""Text that everything downstream can hold, and that is short enough to be told."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.backend.examples import examples

from cartrita.kit.text import StorableTextStream, shortened, storable_json, storable_text

ANY_TEXT = st.text(st.characters(codec=None, categories=None), max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("given_", "kept"),
    [
        ("plain äöü 😀", "plain äöü 😀"),
        ("a\x00b", "ab"),
        ("\ud83d\ude00", "😀"),
        ("\ud83d", "\ufffd"),
        ("\ude00\ud83d", "\ufffd\ufffd"),
        ("\ud83d\ud83d\ude00\x00\ude00", "\ufffd😀\ufffd"),
        ("", ""),
    ],
)
def test_what_cannot_be_stored_is_joined_replaced_or_dropped(given_: str, kept: str) -> None:
    assert storable_text(given_) == kept


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", ""),
        ("nine here", "nine here"),
        ("'aaaaaaaaaaaaaa' is no role", "'aaaaa…ole"),
    ],
)
def test_long_text_is_cut_in_its_middle(text: str, told: str) -> None:
    assert shortened(text, 10) == told


@examples
@given(ANY_TEXT)
def test_the_result_is_storable_and_stays_as_it_is(text: str) -> None:
    once = storable_text(text)
    assert once.encode().decode() == once
    assert "\x00" not in once
    assert storable_text(once) == once


@examples
@given(st.text(st.characters(codec="utf-8", exclude_characters="\x00")))
def test_storable_text_is_untouched(text: str) -> None:
    assert storable_text(text) == text


@examples
@given(JSON)
def test_every_string_of_a_json_value_is_made_storable(value: object) -> None:
    assert "\\u0000" not in json.dumps(storable_json(value)).replace("\\\\", "")
    assert json.dumps(storable_json(value), ensure_ascii=False).encode()
    assert storable_json(storable_json(value)) == storable_json(value)


def test_names_of_fields_are_cleaned_too_and_other_values_kept() -> None:
    assert storable_json({"a\x00": ["\ud800", 1, 2.5, None, True]}) == {
        "a": ["\ufffd", 1, 2.5, None, True]
    }


def test_a_pair_split_between_two_pieces_is_joined() -> None:
    stream = StorableTextStream()
    assert [stream.feed("a\ud83d"), stream.feed(""), stream.feed("\ude42b")] == ["a", "", "🙂b"]
    assert stream.end() == ""


def test_a_surrogate_without_its_pair_is_replaced_at_the_end() -> None:
    stream = StorableTextStream()
    assert stream.feed("\ud83d") == ""
    assert [stream.end(), stream.end()] == ["\ufffd", ""]

"""Cursors: opaque, exact, and harmless when made up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.backend.examples import examples

from cartrita.kit.pagination import Page, decode_cursor, encode_cursor

KEYS = st.lists(
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.text(st.characters(codec="utf-8"), max_size=20)
    | st.floats(allow_nan=False, allow_infinity=False),
    max_size=4,
)


@examples
@given(KEYS)
def test_a_key_comes_back_as_it_was(values: list[str | int | float | bool]) -> None:
    text = encode_cursor(*values)
    back = decode_cursor(text)
    assert back == values
    assert back is not None
    assert [type(value) for value in back] == [type(value) for value in values]
    assert text.replace("-", "").replace("_", "").isalnum() or text == ""


@examples
@given(st.text(max_size=40) | st.binary(max_size=40).map(lambda b: b.decode("latin-1")))
def test_reading_never_raises(text: str) -> None:
    assert decode_cursor(text) is None or isinstance(decode_cursor(text), list)


@pytest.mark.parametrize("text", ["", "!", "e30", "bnVsbA", "W251bGxd", "W1tdXQ", "\ud800"])
def test_what_is_none_of_ours_is_none(text: str) -> None:
    assert decode_cursor(text) is None


def test_a_page_is_the_last_one_unless_it_says_otherwise() -> None:
    assert Page([1]).next_cursor is None

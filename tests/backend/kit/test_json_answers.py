"""What no reader of JSON can read is refused, and nothing else."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.backend.examples import examples

from cartrita.kit.json_answers import MAX_DIGITS, refuse_unreadable
from cartrita.kit.json_depth import MAX_ANSWER_DEPTH


def test_an_answer_has_128_levels_at_most() -> None:
    refuse_unreadable("[" * MAX_ANSWER_DEPTH + "]" * MAX_ANSWER_DEPTH)
    with pytest.raises(ValueError, match="nested too deeply"):
        refuse_unreadable(b"[" * 129 + b"]" * 129)


@given(st.integers(0, 9_000), st.integers(4_200, 4_400), st.booleans())
@example(0, MAX_DIGITS, False)
@example(0, MAX_DIGITS + 1, False)
@examples
def test_a_number_that_python_cannot_read_is_refused(
    before: int, digits: int, encoded: bool
) -> None:
    text = json.dumps({"before": "x" * before, "number": 0})[:-2] + "7" * digits + "}"
    data = text.encode() if encoded else text
    try:
        json.loads(data)
    except ValueError:
        with pytest.raises(ValueError, match="too long"):
            refuse_unreadable(data)
    else:
        refuse_unreadable(data)


def test_digits_in_a_text_are_no_number() -> None:
    refuse_unreadable(json.dumps({"pi": 'so: \\" ' + "3" * 20_000, "at": 5}))

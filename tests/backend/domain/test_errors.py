"""Errors: their messages have a bound, whatever callers sent."""

from cartrita.domain.errors import LONGEST_MESSAGE, InvalidInput, NotFound

LONG = "x" * 1_000_000


def test_a_message_keeps_its_beginning_and_its_end() -> None:
    error = NotFound(f"There is no model {LONG}. Nearest: fake.")
    assert len(error.message) == LONGEST_MESSAGE
    assert error.message.startswith("There is no model xxx")
    assert error.message.endswith("xxx. Nearest: fake.")
    assert str(error) == error.message


def test_fields_and_their_problems_have_the_same_bound() -> None:
    error = InvalidInput.of(f"metadata.{LONG}", f"not {LONG}")
    ((field, problems),) = error.fields.items()
    assert [len(text) for text in (field, *problems)] == [LONGEST_MESSAGE] * 2


def test_what_is_short_stays_as_it_is() -> None:
    assert InvalidInput.of("n", "send a number").fields == {"n": ["send a number"]}

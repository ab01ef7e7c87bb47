"""The places of steps, calls and tasks in a run."""

import pytest
from msgspec import ValidationError

from cartrita.domain.step_places import WHOLE_RUN, StepPlace, giver_of

STEP = WHOLE_RUN.step(2)
CALL = STEP.call(1)
INNER = CALL.step(3)


@pytest.mark.parametrize(("place", "text"), [(STEP, "2"), (CALL, "2.1"), (INNER, "2.1.3")])
def test_a_place_is_what_its_text_says(place: StepPlace, text: str) -> None:
    assert place.text == text
    assert StepPlace.parse(text) == place


@pytest.mark.parametrize("text", ["", "a", "1.", "0", "1.-2", "1_2"])
def test_other_texts_are_no_places(text: str) -> None:
    with pytest.raises(ValidationError):
        StepPlace.parse(text)


def test_a_step_and_its_calls_have_the_number_of_the_step() -> None:
    numbers = [one.step_number for one in (STEP, CALL, INNER, INNER.call(7))]
    assert numbers == [2, 2, 3, 3]


def test_a_place_contains_what_is_done_for_it() -> None:
    assert CALL.contains(INNER)
    assert STEP.contains(INNER)
    assert WHOLE_RUN.contains(STEP)
    assert not CALL.contains(CALL)
    assert not INNER.contains(CALL)
    assert not CALL.contains(STEP.call(11).step(1))


def test_a_call_contains_its_task_and_those_within_it() -> None:
    inner = INNER.call(4)
    assert CALL.task_id == "task_2_1"
    assert CALL.contains_task(CALL.task_id)
    assert CALL.contains_task(inner.task_id)
    assert not inner.contains_task(CALL.task_id)
    assert not CALL.contains_task(STEP.call(11).task_id)
    assert not CALL.contains_task(None)
    assert WHOLE_RUN.contains_task(None)
    assert WHOLE_RUN.contains_task(CALL.task_id)
    assert giver_of(inner.task_id) == CALL.task_id
    assert giver_of(CALL.task_id) is None


def test_a_task_is_one_deeper_than_its_giver() -> None:
    assert [one.depth for one in (WHOLE_RUN, CALL, INNER.call(4))] == [0, 1, 2]

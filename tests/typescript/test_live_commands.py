"""What is said of a run over a live session is done or refused, and never lost on the way."""

from typing import Any

import pytest
from tests.typescript.package import Programs

pytestmark = pytest.mark.slow


def told(programs: Programs, what: str) -> dict[str, Any]:
    [fact] = programs.run("live_commands", what=what)
    return fact


def test_what_a_cut_swallowed_is_said_again(programs: Programs) -> None:
    fact = told(programs, "cut")
    assert "error" not in fact["approved"]
    first, second = fact["sent"]
    assert first[-1] == "approve"
    assert [each for each in second if each != "ping"] == ["auth", "resume", "cancel", "approve"]


def test_a_refused_decision_is_told_to_who_made_it_and_the_answer_goes_on(
    programs: Programs,
) -> None:
    fact = told(programs, "refused")
    assert fact["approved"]["error"]["code"] == "arguments_changed"
    assert fact["text"] == "Here."


def test_a_decision_that_came_too_early_is_made_later(programs: Programs) -> None:
    fact = told(programs, "hurried")
    assert "error" not in fact["approved"]
    assert fact["text"] == "Here."
    assert fact["sent"][0].count("approve") == 2


@pytest.mark.parametrize("what", ["openLiveSession", "openVoice"])
def test_a_session_that_is_closed_while_it_connects_leaves_no_connection(
    programs: Programs, what: str
) -> None:
    told = programs.run("closing", moments=12, what=what)
    assert [each["closed"] for each in told] == [True] * 12
    assert [each["states"][-1] for each in told] == ["closed"] * 12


def test_a_session_that_is_closed_takes_no_decision(programs: Programs) -> None:
    assert told(programs, "closed")["approved"]["error"]["name"] == "UnreachableError"

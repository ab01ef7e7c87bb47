"""Requests of computer use, and the steps that are told of it."""

import pytest

from cartrita.domain.desktop import DesktopId
from cartrita.domain.desktop_films import UNSETTLED, FilmFrame
from cartrita.domain.errors import InvalidInput
from cartrita.kit import clock
from cartrita.kit.ids import uuid7
from cartrita.surfaces.native.computer_use import ComputerStep, ComputerUseRequest
from cartrita.surfaces.native.request_bodies import validated


@pytest.mark.parametrize("ends", ["\n", "\r", "\t", "\x1b", "\x00", "\x7f", "\x85", "\u2028"])
def test_a_secret_that_would_press_keys_is_refused(ends: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        validated(ComputerUseRequest, {"task": "x", "secrets": {"PIN": f"canary{ends}"}})
    assert "control characters" in str(refused.value.fields)
    assert "canary" not in f"{refused.value} {refused.value.fields}"


def test_any_other_secret_is_kept_as_it_is() -> None:
    secret = " a ß 秘密 \U0001f511 "
    body = validated(ComputerUseRequest, {"task": "x", "secrets": {"PIN": secret}})
    assert body.to_task().secrets["PIN"].reveal() == secret


@pytest.mark.parametrize("error", [None, UNSETTLED, "The point is outside of the screen."])
def test_a_step_that_was_not_done_says_why(error: str | None) -> None:
    frame = FilmFrame(
        actor="agent", action={"type": "click"}, duration_ms=1.0, error=error,
        desktop_id=DesktopId(uuid7()), number=1, at=clock.now(),
    )  # fmt: skip
    assert ComputerStep.of(1, frame).error == error

"""What has to stand still for what."""

import pytest

from cartrita.domain.desktop import (
    Action,
    Click,
    HoldKey,
    Key,
    Move,
    Point,
    Screenshot,
    Scroll,
    Type,
    Wait,
)
from cartrita.domain.desktop_stillness import NO_STILLNESS, Stillness, stillness_of

HERE = Point(1, 1)


@pytest.mark.parametrize(
    ("actions", "still"),
    [
        ((Screenshot(), Wait(1), Move(HERE), Scroll(down=1)), NO_STILLNESS),
        ((Click(HERE),), Stillness(places=(HERE,))),
        ((Click(HERE), Type("x")), Stillness(places=(HERE,), focus=True)),
        ((Key(("Return",)),), Stillness(focus=True)),
        ((HoldKey(("a",), 1),), Stillness(focus=True)),
        ((Screenshot(), Type(secret="PIN")), Stillness(focus=True, whole=True)),
    ],
)
def test_presses_have_places_and_keys_the_focus(
    actions: tuple[Action, ...], still: Stillness
) -> None:
    assert stillness_of(actions) == still

"""Where actions press a button."""

import pytest

from cartrita.domain.desktop import (
    Action,
    Area,
    Click,
    Drag,
    Key,
    Move,
    Point,
    Press,
    Release,
    Scroll,
    Zoom,
)
from cartrita.domain.desktop_films import PressedPlace, pressed_places
from cartrita.domain.desktop_places import are_near

ONE, TWO = Point(1, 1), Point(200, 200)
LOOK = Zoom(Area(0, 0, 9, 9))


@pytest.mark.parametrize(
    ("actions", "places"),
    [
        ((Key(("a",)), Move(ONE), LOOK), ()),
        ((Press(), Move(ONE), LOOK, Release()), (None, ONE)),
        ((Release(),), (None,)),
        ((Click(), Click(TWO), Click()), (None, TWO, TWO)),
        ((Drag((ONE, TWO)), Press()), (ONE, TWO, TWO)),
        ((Scroll(at=TWO), Press()), (TWO,)),
        ((Move(TWO), Scroll(down=1), Press()), (TWO,)),
    ],
)
def test_a_button_is_pressed_at_its_place_or_where_the_pointer_is(
    actions: tuple[Action, ...], places: tuple[PressedPlace, ...]
) -> None:
    assert pressed_places(actions) == places


@pytest.mark.parametrize(
    ("places", "others", "near"),
    [
        ((ONE, None), (Point(25, 17), None), True),
        ((ONE,), (Point(26, 1),), False),
        ((ONE,), (Point(1, 18),), False),
        ((ONE,), (ONE, ONE), False),
        ((ONE,), (None,), False),
    ],
)
def test_places_are_near_if_each_is(
    places: tuple[PressedPlace, ...], others: tuple[PressedPlace, ...], *, near: bool
) -> None:
    assert are_near(places, others) is near

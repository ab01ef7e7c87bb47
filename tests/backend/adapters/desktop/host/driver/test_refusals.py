"""Whatever is asked for, places outside, unknown keys and untypable texts are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.backend.examples import examples

from cartrita.adapters.desktop.host.driver import refusals
from cartrita.adapters.desktop.host.driver.refusals import Screen
from cartrita.domain.desktop import (
    Action,
    Area,
    Click,
    CursorPosition,
    Drag,
    HoldKey,
    Key,
    Move,
    Point,
    Press,
    Screenshot,
    Scroll,
    Type,
    Wait,
    Zoom,
)
from cartrita.domain.desktop_errors import ActionRefused

_SCREEN = Screen(1280, 800)
_OUTSIDE = "The point is outside of the screen (1280 x 800)."
_ANY = st.builds(Point, st.integers(-(2**70), 2**70), st.integers(-(2**70), 2**70))
_INSIDE = st.builds(Point, st.integers(0, 1279), st.integers(0, 799))


@pytest.mark.parametrize(
    "action",
    [
        Move(Point(-1, 0)),
        Click(at=Point(1280, 0)),
        Scroll(down=1, at=Point(0, 800)),
        Drag((Point(0, 0), Point(10**30, 0), Point(0, 0))),
        Zoom(Area(0, 0, 1281, 800)),
        Zoom(Area(-1, 0, 4, 4)),
    ],
)
def test_a_place_outside_is_refused(action: Action) -> None:
    with pytest.raises(ActionRefused) as refused:
        refusals.check_places(action, _SCREEN)
    assert refused.value.message == _OUTSIDE


@pytest.mark.parametrize("area", [Area(0, 0, 0, 10), Area(0, 10, 10, 10), Area(20, 0, 10, 10)])
def test_an_area_of_nothing_is_refused(area: Area) -> None:
    with pytest.raises(ActionRefused, match="empty"):
        refusals.check_places(Zoom(area), _SCREEN)


@pytest.mark.parametrize(
    "action",
    [Screenshot(), CursorPosition(), Wait(), Click(), Press(), Zoom(Area(0, 0, 1280, 800))],
)
def test_what_needs_no_place_or_the_whole_is_not(action: Action) -> None:
    refusals.check_places(action, _SCREEN)
    assert refusals.keysyms_held(action) == []
    assert refusals.keysyms_typed(action, None) == []


@examples
@given(st.lists(_INSIDE, min_size=1, max_size=5), st.lists(_ANY, min_size=1, max_size=5))
def test_a_path_is_refused_if_any_of_its_places_is(within: list[Point], any_: list[Point]) -> None:
    refusals.check_places(Drag((*within, *within)), _SCREEN)
    outside = any(not (0 <= at.x < 1280 and 0 <= at.y < 800) for at in any_)
    path = Drag((*within, *any_))
    if outside:
        with pytest.raises(ActionRefused):
            refusals.check_places(path, _SCREEN)
    else:
        refusals.check_places(path, _SCREEN)


def test_keys_are_those_that_are_named() -> None:
    assert refusals.keysyms_held(Click(keys=("ctrl", "A"))) == [0xFFE3, ord("a")]
    assert refusals.keysyms_held(HoldKey(("shift",), 1)) == [0xFFE1]
    for action in (Key(("ctrl", "xyz")), Click(keys=("xyz",)), Scroll(keys=("xyz",))):
        with pytest.raises(ActionRefused, match='There is no key "xyz"'):
            refusals.keysyms_held(action)
    with pytest.raises(ActionRefused, match="No key is named"):
        refusals.keysyms_held(Key(()))


def test_the_text_of_a_secret_is_typed_instead_of_its_name() -> None:
    assert refusals.keysyms_typed(Type(secret="PIN"), "12") == [ord("1"), ord("2")]
    assert refusals.keysyms_typed(Type(secret="PIN"), "") == []
    with pytest.raises(ActionRefused, match="no secret"):
        refusals.keysyms_typed(Type(secret="PIN"), None)


def test_line_breaks_of_any_system_are_one_key() -> None:
    assert refusals.keysyms_typed(Type("a\r\nb\rc\nd"), None) == [
        *(ord("a"), 0xFF0D, ord("b"), 0xFF0D, ord("c"), 0xFF0D, ord("d"))
    ]


@pytest.mark.parametrize("text", ["\x03", "a\x1b[A", "\x7f", "\x85", "\ud83d"])
def test_controls_are_not_typed(text: str) -> None:
    with pytest.raises(ActionRefused, match="control character") as refused:
        refusals.keysyms_typed(Type(text), None)
    assert text not in refused.value.message


def test_a_text_that_is_too_long_is_refused() -> None:
    assert len(refusals.keysyms_typed(Type("a" * 10_000), None)) == 10_000
    with pytest.raises(ActionRefused, match="10,000 characters"):
        refusals.keysyms_typed(Type("a" * 10_001), None)

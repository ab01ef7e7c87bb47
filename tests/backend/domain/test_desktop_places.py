"""What is pointed at on the picture of a screen is where it is on the screen, exactly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartrita.domain.desktop import Area, Click, Drag, Move, Point, Screenshot, Scroll, Type, Zoom
from cartrita.domain.desktop_places import LONGEST_SHOWN, MOST_SHOWN, Scale, shown_size

WIDTHS, HEIGHTS = st.integers(640, 2560), st.integers(480, 1600)


@pytest.mark.parametrize(
    ("screen", "shown"),
    [
        ((1280, 800), (1280, 800)),
        ((1568, 480), (1568, 480)),
        ((1920, 1080), (1429, 804)),
        ((2560, 1600), (1356, 847)),
        ((2560, 480), (1568, 294)),
    ],
)
def test_what_all_vendors_take_is_shown_as_it_is_and_all_else_smaller(
    screen: tuple[int, int], shown: tuple[int, int]
) -> None:
    assert shown_size(*screen) == shown


@given(WIDTHS, HEIGHTS)
def test_no_picture_is_larger_than_the_strictest_vendor_takes_it(width: int, height: int) -> None:
    across, down = shown_size(width, height)
    assert max(across, down) <= LONGEST_SHOWN
    assert across * down <= MOST_SHOWN
    assert across * height == pytest.approx(down * width, rel=0.01), "nothing is distorted"


@given(WIDTHS, HEIGHTS, st.data())
def test_each_place_is_on_the_screen_and_is_itself_again(
    width: int, height: int, data: st.DataObject
) -> None:
    scale = Scale.of(width, height)
    across, down = scale.shown
    at = Point(data.draw(st.integers(0, across - 1)), data.draw(st.integers(0, down - 1)))
    moved = scale.on_screen(Move(at))
    assert isinstance(moved, Move)
    assert 0 <= moved.at.x < width
    assert 0 <= moved.at.y < height
    assert scale.as_shown(moved.at) == at


@given(WIDTHS, HEIGHTS, st.data())
def test_each_pixel_of_the_screen_is_shown(width: int, height: int, data: st.DataObject) -> None:
    scale = Scale.of(width, height)
    at = Point(data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1)))
    shown = scale.as_shown(at)
    assert 0 <= shown.x < scale.shown[0]
    assert 0 <= shown.y < scale.shown[1]


def test_all_places_of_an_action_are_moved_and_nothing_else() -> None:
    scale = Scale((2000, 1000), (1000, 500))
    assert scale.on_screen(Click(Point(0, 499), times=2)) == Click(Point(1, 999), times=2)
    assert scale.on_screen(Scroll(3, at=Point(10, 10))) == Scroll(3, at=Point(21, 21))
    path = (Point(1, 1), Point(999, 499))
    assert scale.on_screen(Drag(path)) == Drag((Point(3, 3), Point(1999, 999)))
    for same in (Click(), Type("a"), Screenshot(), Scroll(1)):
        assert scale.on_screen(same) == same


def test_an_area_has_all_that_is_shown_in_it() -> None:
    half = Scale((2000, 1000), (1000, 500))
    assert half.area_on_screen(Area(0, 1, 3, 500)) == Area(0, 2, 6, 1000)
    scale = Scale.of(2560, 1600)
    assert scale.area_on_screen(Area(0, 0, *scale.shown)) == Area(0, 0, 2560, 1600)
    assert Zoom(scale.area_on_screen(Area(0, 0, 1, 1))) == Zoom(Area(0, 0, 2, 2))

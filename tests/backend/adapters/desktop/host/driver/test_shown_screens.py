"""Screens are known by what they show: the last few, and the one that was asked for last."""

from cartrita.adapters.desktop.host.driver.focus import Focus
from cartrita.adapters.desktop.host.driver.shown_screens import _MOST, ShownScreen, ShownScreens
from cartrita.domain.desktop import Point, Shot


def shown(screens: ShownScreens, *names: str, window: int = 1) -> list[str]:
    """Keep these, and tell what they are known by."""
    kept = ((Shot(name.encode(), 1, 1, Point(0, 0)), name.encode()) for name in names)
    return [screens.keep(shot, ShownScreen(each, Focus(window, None))) for shot, each in kept]


def test_the_one_that_a_person_decided_on_is_known_whatever_its_call_looks_at() -> None:
    screens = ShownScreens()
    [decided] = shown(screens, "decided")
    assert screens.find(decided) is not None
    shown(screens, *(f"a clock shows {second}" for second in range(2 * _MOST)))
    assert screens.find(decided) is not None
    later = shown(screens, *(f"it shows {second}" for second in range(2 * _MOST)))
    assert screens.find(decided) is not None
    assert [screens.find(one) is not None for one in later] == [False] * _MOST + [True] * _MOST
    assert screens.find(decided) is None, "another was asked for"


def test_one_that_looks_the_same_with_another_focus_is_another() -> None:
    screens = ShownScreens()
    [decided] = shown(screens, "decided")
    [later] = shown(screens, "decided", window=2)
    assert later != decided
    assert [screens.find(one) for one in (decided, later)] == [
        ShownScreen(b"decided", Focus(window, None)) for window in (1, 2)
    ]
    assert shown(screens, "decided") == [decided], "it is as it was"


def test_pixels_that_no_picture_shows_count() -> None:
    screens, picture = ShownScreens(), Shot(b"smaller", 1, 1, Point(0, 0))
    kept = [screens.keep(picture, ShownScreen(each, Focus(1, None))) for each in (b"a", b"b")]
    assert kept[0] != kept[1]

"""Screens are known by the pictures of them: the last few, and the one that was asked for last."""

from hashlib import sha256

from cartrita.adapters.desktop.host.driver.focus import Focus
from cartrita.adapters.desktop.host.driver.shown_screens import _MOST, ShownScreen, ShownScreens
from cartrita.domain.desktop import Point, Shot


def shown(screens: ShownScreens, *names: str) -> list[str]:
    """Keep these, and tell their digests."""
    digests: list[str] = []
    for name in names:
        shot = Shot(name.encode(), 1, 1, Point(0, 0))
        screens.keep(shot, ShownScreen(name.encode(), Focus(1, None)))
        digests.append(sha256(shot.png).hexdigest())
    return digests


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


def test_one_that_was_shown_again_is_known_as_it_was_then() -> None:
    screens = ShownScreens()
    [decided] = shown(screens, "decided")
    assert screens.find(decided) is not None
    shot = Shot(b"decided", 1, 1, Point(0, 0))
    again = ShownScreen(b"decided", Focus(2, None))
    screens.keep(shot, again)
    assert screens.find(decided) is again

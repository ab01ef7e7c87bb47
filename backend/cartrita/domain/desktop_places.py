"""Places on a desktop: those of the picture that models see, and where these are on the screen."""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, TypeAlias

from msgspec.structs import replace

from cartrita.domain.desktop import Action, Area, Click, Drag, Move, Point, Scroll, Zoom

LONGEST_SHOWN: Final = 1568
MOST_SHOWN: Final = 1_150_000
"""Pixels of a side, and of all of a picture: the bounds of the strictest vendor (Anthropic, older
models). What is larger some refuse, and others shrink by a factor that nobody is told.
"""

COMPARED: Final = (160, 32)
"""Around a place: a button, or the part of a line that tells what is clicked; in pixels of the
screen.
"""
_NEAR: Final = (24, 16)
"""Who tries the same once more is within so many pixels beside, and above or below, as a rule; what
lies next to it is farther.
"""

Place: TypeAlias = Callable[[Point], Point]


def shown_size(width: int, height: int) -> tuple[int, int]:
    """How large a screen of this size is shown: as it is, or as large as every vendor takes it."""
    factor = min(1.0, LONGEST_SHOWN / max(width, height), (MOST_SHOWN / (width * height)) ** 0.5)
    return int(width * factor), int(height * factor)


def are_near(places: Sequence[Point | None], others: Sequence[Point | None]) -> bool:
    """Whether these are about the same, in their order; None is where the pointer is."""
    return len(places) == len(others) and all(map(_is_near, places, others))


def _is_near(one: Point | None, other: Point | None) -> bool:
    if one is None or other is None:
        return one is other
    beside, below = _NEAR
    return abs(one.x - other.x) <= beside and abs(one.y - other.y) <= below


class Scale(NamedTuple):
    """Between the screen and how it is shown: a pixel that is shown is at the middle of what it
    shows of the screen, so that there and back it is the same again.
    """

    screen: tuple[int, int]
    shown: tuple[int, int]

    @classmethod
    def of(cls, width: int, height: int) -> "Scale":
        """That of a screen of this size."""
        return cls((width, height), shown_size(width, height))

    def on_screen(self, action: Action) -> Action:
        """An action on what is shown as one on the screen."""
        return placed(action, self.point_on_screen)

    def as_shown(self, at: Point) -> Point:
        """A place of the screen as it is shown."""
        return _moved(at, self.screen, self.shown)

    def point_on_screen(self, at: Point) -> Point:
        """A place of what is shown on the screen."""
        return _moved(at, self.shown, self.screen)

    def area_on_screen(self, area: Area) -> Area:
        """All pixels of which something is shown in it."""
        (width, height), (across, down) = self.screen, self.shown
        return Area(
            area.left * width // across,
            area.top * height // down,
            -(-area.right * width // across),
            -(-area.bottom * height // down),
        )


def _moved(at: Point, one: tuple[int, int], other: tuple[int, int]) -> Point:
    """The pixel of a size that has the middle of this one of another."""
    return Point(
        (2 * at.x + 1) * other[0] // (2 * one[0]), (2 * at.y + 1) * other[1] // (2 * one[1])
    )


def placed(action: Action, place: Place) -> Action:
    """The action with each of its places put elsewhere."""
    match action:
        case Move(at=at):
            return Move(place(at))
        case Click(at=at) | Scroll(at=at) if at is not None:
            return replace(action, at=place(at))
        case Drag(path=path):
            return replace(action, path=tuple(map(place, path)))
        case Zoom(area=area):
            start, end = place(Point(area.left, area.top)), place(Point(area.right, area.bottom))
            return Zoom(Area(start.x, start.y, end.x, end.y))
        case _:
            return action

"""What is refused before anything is done, as places outside of the screen and unknown keys are."""

from collections.abc import Iterable
from typing import NamedTuple

from cartrita.adapters.desktop.host.driver import key_names
from cartrita.domain.desktop import (
    LONGEST_TYPED,
    Action,
    Click,
    Drag,
    HoldKey,
    Key,
    Move,
    Point,
    Scroll,
    Type,
    Zoom,
)
from cartrita.domain.desktop_errors import ActionRefused


class Screen(NamedTuple):
    """Its size in pixels."""

    width: int
    height: int


def check_places(action: Action, screen: Screen) -> None:
    """Raise ActionRefused if a place of the action is not on the screen."""
    if isinstance(action, Zoom):
        area = action.area
        if area.right <= area.left or area.bottom <= area.top:
            raise ActionRefused("The area is empty.")
    for place in _places(action):
        if not (0 <= place.x < screen.width and 0 <= place.y < screen.height):
            raise ActionRefused(
                f"The point is outside of the screen ({screen.width} x {screen.height})."
            )


def keysyms_held(action: Action) -> list[int]:
    """Those of the keys that it presses. Raises ActionRefused for one that there is not."""
    match action:
        case Key() | HoldKey():
            if not action.keys:
                raise ActionRefused("No key is named.")
            names = action.keys
        case Click() | Drag() | Scroll():
            names = action.keys
        case _:
            names = ()
    return [key_names.keysym(name) for name in names]


def keysyms_typed(action: Action, typed: str | None) -> list[int]:
    """Those that type its text. Raises ActionRefused if there is none that does."""
    if not isinstance(action, Type):
        return []
    if action.secret is not None and typed is None:
        raise ActionRefused(
            "There is no secret of this name for this task, or it is not known any more, because "
            "the desktop was started anew or the task was taken up again: the person has to give "
            "the task again with it."
        )
    text = action.text if typed is None else typed
    if len(text) > LONGEST_TYPED:
        raise ActionRefused(f"The text is longer than {LONGEST_TYPED:,} characters.")
    return [_typed(one) for one in text.replace("\r\n", "\n").replace("\r", "\n")]


def _typed(character: str) -> int:
    found = key_names.of_character(character)
    if found is None:
        raise ActionRefused(
            "The text has a control character that cannot be typed. Press a key instead."
        )
    return found


def _places(action: Action) -> Iterable[Point]:
    match action:
        case Move():
            return (action.at,)
        case Click() | Scroll():
            return () if action.at is None else (action.at,)
        case Drag():
            return action.path
        case Zoom():
            area = action.area
            return (Point(area.left, area.top), Point(area.right - 1, area.bottom - 1))
        case _:
            return ()

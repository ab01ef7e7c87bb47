"""What of a screen has to stand still while a person decides on what an agent wants to do."""

from collections.abc import Sequence

import msgspec

from cartrita.domain.desktop import Action, HoldKey, Key, Type
from cartrita.domain.desktop_films import PressedPlace, pressed_places


class Stillness(msgspec.Struct, frozen=True, kw_only=True):
    """What has to be as a picture has shown it.

    `places` are those around which the screen is the same, pixel by pixel. With `focus` the window
    that gets what is typed is the same one, and is where it was; with `whole` the screen is the
    same everywhere.
    """

    places: tuple[PressedPlace, ...] = ()
    focus: bool = False
    whole: bool = False


NO_STILLNESS = Stillness()
"""For what is not done to anything that is shown."""


def stillness_of(actions: Sequence[Action]) -> Stillness:
    """For these actions: buttons are pressed at places, and keys go to whoever has the focus.

    Where in its window that is can only be seen on the screen, and a secret must not go elsewhere.
    """
    return Stillness(
        places=pressed_places(actions),
        focus=any(isinstance(action, Type | Key | HoldKey) for action in actions),
        whole=any(isinstance(action, Type) and action.secret is not None for action in actions),
    )

"""The screens of the last pictures, which people may have decided on."""

from collections import OrderedDict
from hashlib import sha256
from typing import Final, NamedTuple

from cartrita.adapters.desktop.host.driver.focus import Focus
from cartrita.adapters.desktop.host.driver.pictures import Pixels
from cartrita.domain.desktop import Shot

_MOST: Final = 3
"""Each has four bytes a pixel. One is waited for, and others look meanwhile. The one that was
asked for last is beside them: what is done by its leave looks, too, and asks for it again."""


class ShownScreen(NamedTuple):
    """The pixels of a screen as BGRX, and what had its focus."""

    pixels: Pixels
    focus: Focus


class ShownScreens:
    """The last few that were shown, and the one that was asked for last, by the SHA-256 of their
    pictures (hexadecimal).
    """

    def __init__(self) -> None:
        self._screens: OrderedDict[str, ShownScreen] = OrderedDict()
        self._asked: tuple[str, ShownScreen] | None = None

    def keep(self, shot: Shot, screen: ShownScreen) -> None:
        """This one was shown so, in place of the one for which that is the longest ago."""
        digest = sha256(shot.png).hexdigest()
        self._screens[digest] = screen
        self._screens.move_to_end(digest)
        if len(self._screens) > _MOST:
            self._screens.popitem(last=False)

    def find(self, picture: str) -> ShownScreen | None:
        """The one of this picture, if it was shown lately; it is known until another is found."""
        if picture in self._screens:
            self._asked = picture, self._screens[picture]
        if self._asked is None or self._asked[0] != picture:
            return None
        return self._asked[1]

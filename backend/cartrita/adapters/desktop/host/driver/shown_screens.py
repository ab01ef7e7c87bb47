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
    """The last few that were shown, and the one that was asked for last.

    Each is known by the SHA-256 (hexadecimal) of its picture, its pixels and its focus: one that
    looks the same while another window gets what is typed is another.
    """

    def __init__(self) -> None:
        self._screens: OrderedDict[str, ShownScreen] = OrderedDict()
        self._asked: tuple[str, ShownScreen] | None = None

    def keep(self, shot: Shot, screen: ShownScreen) -> str:
        """This one was shown so, in place of the one for which that is the longest ago.

        What it is known by.
        """
        digest = _digest(shot, screen)
        self._screens[digest] = screen
        self._screens.move_to_end(digest)
        if len(self._screens) > _MOST:
            self._screens.popitem(last=False)
        return digest

    def find(self, digest: str) -> ShownScreen | None:
        """The one that is known by this, if it was shown lately; it is until another is found."""
        if digest in self._screens:
            self._asked = digest, self._screens[digest]
        if self._asked is None or self._asked[0] != digest:
            return None
        return self._asked[1]


def _digest(shot: Shot, screen: ShownScreen) -> str:
    """What lies below the pointer, or is too small for the picture, counts as well."""
    hashed = sha256(shot.png)
    hashed.update(screen.pixels)
    hashed.update(repr(screen.focus).encode())
    return hashed.hexdigest()

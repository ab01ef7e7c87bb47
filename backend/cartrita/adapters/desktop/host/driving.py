"""What the host wants of a driver: hands and eyes on one display.

Its display is named as X names it (":0"), and its cookie is in the file that XAUTHORITY names. It
blocks, so each is called from one thread of its own. The host has two: one acts, one looks.
"""

from collections.abc import Sequence
from threading import Event
from typing import NamedTuple, Protocol, TypeAlias

from cartrita.domain.desktop import Action, Done, Point, Shot
from cartrita.domain.desktop_stillness import Stillness


class KeyInput(NamedTuple):
    """A key of a person has gone down or up: that of a symbol, as X numbers them (a keysym)."""

    keysym: int
    down: bool


class PointerInput(NamedTuple):
    """The pointer of a person: the lowest bit of `buttons` is the first of those that are down."""

    at: Point
    buttons: int


Input: TypeAlias = KeyInput | PointerInput


class Driver(Protocol):
    """Made as `Driver(display, settle_s)`. All raise DesktopGone once the display is gone."""

    def act(self, action: Action, typed: str | None, stop: Event) -> Done:
        """Do one action; `typed` is the text of a secret.

        Raises ActionRefused for what cannot be done, with nothing done. When `stop` is set, waits,
        holds and long texts end early; nobody reads what comes of the action then.
        """
        ...

    def enter(self, told: Sequence[Input]) -> None:
        """Do what a person does, in this order; it is done when this returns."""
        ...

    def is_unchanged(self, digest: str, still: Stillness) -> bool:
        """Whether all that has to is now as it was on the screen of this digest.

        `Done` tells that. It is not where that is too long ago.
        """
        ...

    def check(self, action: Action, typed: str | None) -> None:
        """Raise ActionRefused for what `act` would refuse, from any thread."""
        ...

    def look(self) -> Shot:
        """The whole screen now, with the pointer on it."""
        ...

    def let_go(self) -> None:
        """Let go of all keys and buttons that are down on the display, whoever pressed them."""
        ...

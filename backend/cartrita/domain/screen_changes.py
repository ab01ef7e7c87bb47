"""The error of actions on a screen that is another than the one that their agent has seen."""

from typing import Self

from cartrita.domain.errors import Conflict


class ScreenChanged(Conflict):
    """Nothing was done: the agent has to look first."""

    @classmethod
    def unseen(cls) -> Self:
        return cls("The screen may have changed since you saw it. This is how it looks now.")

    @classmethod
    def moving(cls) -> Self:
        return cls(
            "What is shown there changes by itself, again and again, so what a person approves of "
            "is always another than what is there then. Do not try it there again: use the "
            "keyboard, or another place. This is how it looks now."
        )

    @classmethod
    def restless(cls) -> Self:
        return cls(
            "The screen, or the window that gets what is typed, changes by itself, again and "
            "again, so what a person approves of is always another than what is there then. End "
            "or close what changes first, or ask a person to take the desktop over. This is how "
            "it looks now."
        )

"""What goes wrong on desktops, as errors that are reported to callers: see `domain.errors`."""

from typing import Self

from cartrita.domain.errors import Conflict


class ActionRefused(Conflict):
    """Its sentence is for a model, and quotes nothing that the screen shows."""

    default_code = "action_refused"

    @classmethod
    def unseen(cls) -> Self:
        return cls(
            "The screen may be another than the one that you saw last. Take a screenshot, in a "
            "turn of its own, and decide then."
        )


class Controlled(Conflict):
    """A person uses the desktop, or another one."""

    default_code = "desktop_controlled"
    retryable = True

    @classmethod
    def by_person(cls) -> Self:
        return cls(
            "A person is using the desktop. Nothing was done; wait, and take a new screenshot when "
            "it is handed back."
        )


class DesktopGone(Conflict):
    """It has ended, or this view of it."""

    default_code = "desktop_gone"

    @classmethod
    def ended(cls) -> Self:
        return cls("The desktop has ended, with all that was open on it. Start another one.")


class ActionBrokeOff(Conflict):
    """Nobody knows whether it was done: it must not be done again before somebody has looked."""

    default_code = "action_broke_off"


class ScreenChanged(Conflict):
    """Nothing was done: the agent has to look first."""

    @classmethod
    def unseen(cls) -> Self:
        return cls("The screen may have changed since you saw it.")

    @classmethod
    def moving(cls) -> Self:
        return cls(
            "What is shown there changes by itself, again and again, so what a person approves of "
            "is always another than what is there then. Do not try it there again: use the "
            "keyboard, or another place."
        )

    @classmethod
    def restless(cls) -> Self:
        return cls(
            "The screen, or the window that gets what is typed, changes by itself, again and "
            "again, so what a person approves of is always another than what is there then. End "
            "or close what changes first, or ask a person to take the desktop over."
        )


class DesktopStarting(Conflict):
    """It can be used in a moment, or has ended then."""

    default_code = "desktop_starting"
    retryable = True

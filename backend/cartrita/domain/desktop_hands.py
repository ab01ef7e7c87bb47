"""What the hands of a desktop cannot do, and what they hold between actions."""

import msgspec

from cartrita.domain.desktop import Action, Button, Click, Drag, Press, Release


class Impossible(msgspec.Struct, frozen=True):
    """An action of a call that cannot be done: its place in the call, from 1, and why."""

    index: int
    why: str


def held_after(held: frozenset[Button], action: Action) -> frozenset[Button]:
    """The buttons that are down after an action, of those that were."""
    match action:
        case Press(button):
            return held.union((button,))
        case Release(button) | Click(button=button):
            return held - {button}
        case Drag():
            return held - {"left"}
        case _:
            return held

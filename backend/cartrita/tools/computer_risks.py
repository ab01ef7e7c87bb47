"""What calls of the tool `computer` may do: the rule by which people are asked."""

from typing import Final

import msgspec

from cartrita.domain.desktop import (
    Action,
    ComputerCall,
    CursorPosition,
    Key,
    Move,
    Screenshot,
    Scroll,
    Type,
    Wait,
    Zoom,
)
from cartrita.domain.json import JsonObject
from cartrita.tools.tool import Risk

_EDITING: Final = frozenset(
    {
        "left", "right", "up", "down", "home", "end", "page_up", "page_down", "backspace",
        "delete", "space", "shift",
    }
)  # fmt: skip
"""Keys, in lower case, that only move within a text or change it."""
_HARMLESS: Final = frozenset({frozenset({"ctrl", "a"}), frozenset({"ctrl", "c"})})
_ORDER: Final = (Risk.READ, Risk.TOUCH, Risk.ACT)


def risk_of_call(arguments: JsonObject) -> Risk:
    """That of the riskiest action of a call; what a vendor wants looked at is a check.

    Wrong arguments do nothing.
    """
    try:
        call = msgspec.convert(arguments, ComputerCall)
    except msgspec.ValidationError:
        return Risk.READ
    if call.checks:
        return Risk.CHECK
    return max((risk_of_action(action) for action in call.actions), key=_ORDER.index)


def risk_of_action(action: Action) -> Risk:
    """Whether an action looks only, fills something in, or does something; what is unknown does."""
    match action:
        case Screenshot() | Zoom() | CursorPosition() | Wait():
            return Risk.READ
        case Move():
            return Risk.TOUCH
        case Scroll(keys=keys):
            return Risk.ACT if keys else Risk.TOUCH
        case Type(text=text):
            return Risk.ACT if "\n" in text or "\r" in text or "\t" in text else Risk.TOUCH
        case Key(keys=keys):
            return Risk.TOUCH if _only_edits(keys) else Risk.ACT
        case _:
            return Risk.ACT


def _only_edits(keys: tuple[str, ...]) -> bool:
    names = frozenset(name.lower() for name in keys)
    if names in _HARMLESS:
        return True
    return all(name in _EDITING or (len(name) == 1 and name.isalnum()) for name in names)

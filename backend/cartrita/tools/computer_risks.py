"""What calls of the tool `computer` may do: the rule by which people are asked."""

from typing import Final

import msgspec

from cartrita.domain.desktop import (
    Action,
    Button,
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
from cartrita.domain.desktop_hands import held_after
from cartrita.domain.json import JsonObject
from cartrita.kit.text import is_one_line
from cartrita.tools.tool import Risk

_MOVING: Final = frozenset(
    {"left", "right", "up", "down", "home", "end", "page_up", "page_down", "backspace"}
)
"""Keys, in lower case, that move, or take back what was typed. A letter, a digit or the space bar
is none of them: in menus, dialogs and terminals each of these may do what a click does.
"""
_ALL: Final = frozenset({"ctrl", "a"})
_SHORTEST_TEXT: Final = 3
"""Fewer characters may be keys to a program, as `q`, `y` and `ZZ` are; blanks do not count."""
_ORDER: Final = (Risk.READ, Risk.TOUCH, Risk.ACT)


def risk_of_call(arguments: JsonObject, held: frozenset[Button] = frozenset()) -> Risk:
    """That of the riskiest action of a call; what a vendor wants looked at is a check.

    What moves the pointer drags, while buttons are `held`. Wrong arguments do nothing.
    """
    try:
        call = msgspec.convert(arguments, ComputerCall)
    except msgspec.ValidationError:
        return Risk.READ
    if call.checks:
        return Risk.CHECK
    risks: list[Risk] = []
    for action in call.actions:
        drags = bool(held) and isinstance(action, Move | Scroll)
        risks.append(Risk.ACT if drags else risk_of_action(action))
        held = held_after(held, action)
    return max(risks, key=_ORDER.index)


def risk_of_action(action: Action) -> Risk:
    """Whether an action looks only, fills something in, or does something; what is unknown does."""
    match action:
        case Screenshot() | Zoom() | CursorPosition() | Wait():
            return Risk.READ
        case Move():
            return Risk.TOUCH
        case Scroll(keys=keys):
            return Risk.ACT if keys else Risk.TOUCH
        case Type(text=text, secret=secret):
            return Risk.TOUCH if secret is None and _only_fills(text) else Risk.ACT
        case Key(keys=keys):
            return Risk.TOUCH if _only_moves(keys) else Risk.ACT
        case _:
            return Risk.ACT


def _only_fills(text: str) -> bool:
    """Whether a text is one that stands in a field, and no key to a program."""
    seen = sum(one.isprintable() and not one.isspace() for one in text)
    return is_one_line(text) and seen >= _SHORTEST_TEXT


def _only_moves(keys: tuple[str, ...]) -> bool:
    names = frozenset(name.lower() for name in keys)
    moving = names - {"shift"}
    return names == _ALL or (bool(moving) and moving <= _MOVING)

"""The actions of OpenAI's computer tools.

Source: https://developers.openai.com/api/docs/guides/tools-computer-use and the types of the
`openai` package.
"""

from typing import Annotated, Final, Literal, TypeAlias

import msgspec

from cartrita.dialects.computer_functions import Unreadable
from cartrita.dialects.computer_keys import key_name
from cartrita.domain.desktop import (
    Action,
    Button,
    Click,
    Drag,
    Key,
    Keys,
    Move,
    Point,
    Screenshot,
    Scroll,
    Wait,
    typed,
)
from cartrita.domain.json import JsonValue

_NOTCH: Final = 120
"""So many pixels are scrolled by one notch of a wheel, as browsers count it."""
_MOST_NOTCHES: Final = 100

_Number: TypeAlias = Annotated[float, msgspec.Meta(ge=-1_000_000, le=1_000_000)]
_KeyNames: TypeAlias = list[Annotated[str, msgspec.Meta(min_length=1, max_length=64)]]
_BUTTONS: Final[dict[str, Button]] = {
    "left": "left",
    "right": "right",
    "wheel": "middle",
    "back": "back",
    "forward": "forward",
}


class _At(msgspec.Struct, frozen=True):
    x: _Number
    y: _Number

    @property
    def point(self) -> Point:
        return Point(round(self.x), round(self.y))


class _Click(_At, frozen=True, tag="click"):
    button: Literal["left", "right", "wheel", "back", "forward"] = "left"
    keys: _KeyNames | None = None


class _DoubleClick(_At, frozen=True, tag="double_click"):
    keys: _KeyNames | None = None


class _Move(_At, frozen=True, tag="move"):
    pass


class _Scroll(_At, frozen=True, tag="scroll"):
    scroll_x: _Number = 0
    scroll_y: _Number = 0
    keys: _KeyNames | None = None


class _Drag(msgspec.Struct, frozen=True, tag="drag"):
    path: Annotated[list[_At], msgspec.Meta(min_length=2, max_length=256)]
    keys: _KeyNames | None = None


class _Keypress(msgspec.Struct, frozen=True, tag="keypress"):
    keys: Annotated[_KeyNames, msgspec.Meta(min_length=1)]


class _Type(msgspec.Struct, frozen=True, tag="type"):
    text: str


class _Screenshot(msgspec.Struct, frozen=True, tag="screenshot"):
    pass


class _Wait(msgspec.Struct, frozen=True, tag="wait"):
    pass


_Written: TypeAlias = (
    _Click | _DoubleClick | _Move | _Scroll | _Drag | _Keypress | _Type | _Screenshot | _Wait
)


def read_action(given: JsonValue) -> tuple[Action, ...]:
    """What one action of a call asks for. Raises Unreadable."""
    try:
        return _read(msgspec.convert(given, _Written))
    except msgspec.ValidationError as problem:
        raise Unreadable(f"An action of this call cannot be read: {problem}.") from None


def _read(given: _Written) -> tuple[Action, ...]:
    match given:
        case _Screenshot():
            return (Screenshot(),)
        case _Wait():
            return (Wait(),)
        case _Type(text=text):
            return typed(text)
        case _Keypress(keys=names):
            return (Key(_keys(names)),)
        case _Drag(path=path, keys=keys):
            return (Drag(tuple(at.point for at in path), _keys(keys)),)
        case _:
            return (_read_pointing(given),)


def _read_pointing(given: _Click | _DoubleClick | _Move | _Scroll) -> Action:
    match given:
        case _Move():
            return Move(given.point)
        case _Click(button=button, keys=keys):
            return Click(given.point, _BUTTONS[button], keys=_keys(keys))
        case _DoubleClick(keys=keys):
            return Click(given.point, times=2, keys=_keys(keys))
        case _Scroll(keys=keys):
            down, right = _notches(given.scroll_y), _notches(given.scroll_x)
            return Scroll(down, right, given.point, _keys(keys))


def _notches(pixels: float) -> int:
    """At least one for any distance, because a wheel turns no less."""
    if not pixels:
        return 0
    notches = min(max(round(abs(pixels) / _NOTCH), 1), _MOST_NOTCHES)
    return notches if pixels > 0 else -notches


def _keys(names: _KeyNames | None) -> Keys:
    return tuple(map(key_name, names or ()))

"""The actions of Anthropic's computer tools: the members of the toolset, and those before it.

Source: https://platform.claude.com/docs/en/agents-and-tools/tool-use/computer-use-tool and the
types of the `anthropic` package.
"""

from collections.abc import Callable
from typing import Annotated, Final, Literal, TypeAlias

import msgspec

from cartrita.dialects.computer_functions import Unreadable
from cartrita.dialects.computer_keys import chord, written_chord
from cartrita.domain.desktop import (
    Action,
    Area,
    Button,
    Click,
    CursorPosition,
    Drag,
    HoldKey,
    Key,
    Keys,
    Move,
    Point,
    Press,
    Release,
    Screenshot,
    Scroll,
    Type,
    Wait,
    Zoom,
    typed,
    written,
)
from cartrita.domain.json import JsonObject

_Number: TypeAlias = Annotated[float, msgspec.Meta(ge=-1_000_000, le=1_000_000)]
_Place: TypeAlias = tuple[_Number, _Number]
_Amount: TypeAlias = Annotated[float, msgspec.Meta(ge=0, le=100)]
_Seconds: TypeAlias = Annotated[float, msgspec.Meta(ge=0, le=300)]


class _Input(msgspec.Struct, frozen=True):
    """The input of a member: which fields it has depends on its name."""

    coordinate: _Place | None = None
    start_coordinate: _Place | None = None
    region: tuple[_Number, _Number, _Number, _Number] | None = None
    text: str | None = None
    scroll_direction: Literal["up", "down", "left", "right"] | None = None
    scroll_amount: _Amount | None = None
    duration: _Seconds | None = None
    repeat: Annotated[int, msgspec.Meta(ge=1, le=100)] = 1


def read_member(name: str, given: JsonObject) -> tuple[Action, ...]:
    """What a call of this member asks for. Raises Unreadable."""
    read = _MEMBERS.get(name)
    if read is None:
        raise Unreadable(f"There is no action {name[:80]}; there are: {', '.join(_MEMBERS)}.")
    try:
        return read(msgspec.convert(given, _Input))
    except msgspec.ValidationError as problem:
        raise Unreadable(f"The input of {name} cannot be read: {problem}.") from None
    except _Missing as missing:
        raise Unreadable(f"{name} needs {missing}.") from None


def is_member(name: str) -> bool:
    """Whether the vendor has such an action."""
    return name in _MEMBERS


def write_member(action: Action) -> tuple[str, JsonObject] | None:
    """The member and the input that ask for it; None where no member does."""
    match action:
        case Screenshot():
            return "screenshot", {}
        case CursorPosition():
            return "cursor_position", {}
        case Zoom(area=area):
            return "zoom", {"region": [area.left, area.top, area.right, area.bottom]}
        case Wait(seconds=seconds) if seconds.is_integer():
            return "wait", {"duration": int(seconds)}
        case Type():
            return "type", {"text": written(action)}
        case Key(keys=keys, times=times):
            repeat: JsonObject = {} if times == 1 else {"repeat": times}
            return "key", {"text": written_chord(keys), **repeat}
        case HoldKey(keys=keys, seconds=seconds) if seconds.is_integer():
            return "hold_key", {"text": written_chord(keys), "duration": int(seconds)}
        case _:
            return _write_pointing(action)


def _write_pointing(action: Action) -> tuple[str, JsonObject] | None:
    match action:
        case Move(at=at):
            return "mouse_move", _coordinate(at)
        case Click(at=at, button=button, times=times, keys=keys):
            name = next((name for name, one in _CLICKS.items() if one == (button, times)), None)
            return None if name is None else (name, _coordinate(at) | _held(keys))
        case Drag(path=(start, end), keys=keys):
            from_start: JsonObject = {"start_coordinate": [start.x, start.y]}
            return "left_click_drag", from_start | _coordinate(end) | _held(keys)
        case Press(button="left"):
            return "left_mouse_down", {}
        case Release(button="left"):
            return "left_mouse_up", {}
        case Scroll():
            return _write_scroll(action)
        case _:
            return None


def _write_scroll(action: Scroll) -> tuple[str, JsonObject] | None:
    if action.down and action.right:
        return None
    across = bool(action.right)
    amount = action.right if across else action.down
    names = ("left", "right") if across else ("up", "down")
    turned: JsonObject = {"scroll_direction": names[amount >= 0], "scroll_amount": abs(amount)}
    return "scroll", turned | _coordinate(action.at) | _held(action.keys)


def _coordinate(at: Point | None) -> JsonObject:
    return {} if at is None else {"coordinate": [at.x, at.y]}


def _held(keys: Keys) -> JsonObject:
    return {"text": written_chord(keys)} if keys else {}


class _Missing(Exception):
    """A field that a member needs, or what is wrong with it, for a sentence."""


def _place(place: _Place | None, name: str = "coordinate") -> Point:
    if place is None:
        raise _Missing(f"`{name}`, a place as [x, y]")
    return Point(*map(round, place))


def _at(given: _Input) -> Point | None:
    return None if given.coordinate is None else _place(given.coordinate)


def _keys(text: str | None) -> Keys:
    """The keys that are held while something else is done."""
    return _chord(text) if text and text.strip() else ()


def _chord(text: str) -> Keys:
    try:
        return chord(text)
    except ValueError:
        raise _Missing(f"the names of keys, such as ctrl+s, and not {text[:40]!r}") from None


def _zoom(given: _Input) -> tuple[Action, ...]:
    if given.region is None:
        raise _Missing("`region`, a part of the screen as [left, top, right, bottom]")
    return (Zoom(Area(*map(round, given.region))),)


def _click(button: Button, times: int) -> "_Read":
    def read(given: _Input) -> tuple[Action, ...]:
        return (Click(_at(given), button, times, _keys(given.text)),)

    return read


def _drag(given: _Input) -> tuple[Action, ...]:
    end = _place(given.coordinate)
    if given.start_coordinate is None:  # the oldest of the tools dragged from where the pointer was
        return Press(), Move(end), Release()
    start = _place(given.start_coordinate, "start_coordinate")
    return (Drag((start, end), _keys(given.text)),)


def _scroll(given: _Input) -> tuple[Action, ...]:
    direction = given.scroll_direction
    if direction is None or given.scroll_amount is None:
        raise _Missing("`scroll_direction` and `scroll_amount`")
    amount = round(given.scroll_amount)
    if direction in ("up", "left"):
        amount = -amount
    across = direction in ("left", "right")
    down, right = (0, amount) if across else (amount, 0)
    return (Scroll(down, right, _at(given), _keys(given.text)),)


def _type(given: _Input) -> tuple[Action, ...]:
    if given.text is None:
        raise _Missing("`text`")
    return typed(given.text)


def _key(given: _Input) -> tuple[Action, ...]:
    """One chord, or several that follow each other, as xdotool takes them."""
    text = given.text or ""
    chords = [text] if text in (" ", "") else text.split()
    keys = [_chord(each) for each in chords]
    if len(keys) == 1:
        return (Key(keys[0], given.repeat),)
    return tuple(map(Key, keys)) * given.repeat


def _hold_key(given: _Input) -> tuple[Action, ...]:
    if given.duration is None:
        raise _Missing("`duration`, in seconds")
    return (HoldKey(_chord(given.text or ""), given.duration),)


def _wait(given: _Input) -> tuple[Action, ...]:
    if given.duration is None:
        raise _Missing("`duration`, in seconds")
    return (Wait(given.duration),)


_Read: TypeAlias = Callable[[_Input], tuple[Action, ...]]
_CLICKS: Final[dict[str, tuple[Button, int]]] = {
    "left_click": ("left", 1),
    "right_click": ("right", 1),
    "middle_click": ("middle", 1),
    "double_click": ("left", 2),
    "triple_click": ("left", 3),
}
_MEMBERS: Final[dict[str, _Read]] = {
    "screenshot": lambda _: (Screenshot(),),
    "zoom": _zoom,
    **{name: _click(*click) for name, click in _CLICKS.items()},
    "left_click_drag": _drag,
    "mouse_move": lambda given: (Move(_place(given.coordinate)),),
    "left_mouse_down": lambda _: (Press(),),
    "left_mouse_up": lambda _: (Release(),),
    "cursor_position": lambda _: (CursorPosition(),),
    "scroll": _scroll,
    "type": _type,
    "key": _key,
    "hold_key": _hold_key,
    "wait": _wait,
}
"""All seventeen."""

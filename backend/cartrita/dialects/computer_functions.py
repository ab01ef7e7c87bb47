"""A desktop as a plain function, for the models that no vendor trained for a tool of its own."""

from collections.abc import Iterable, Iterator
from typing import Final, cast, get_args

import msgspec
from msgspec.structs import replace

from cartrita.dialects.computer_keys import key_name
from cartrita.domain.desktop import (
    LONGEST_TYPED,
    MOST_ACTIONS,
    Action,
    Click,
    ComputerCall,
    Drag,
    HoldKey,
    Key,
    Point,
    Scroll,
    Type,
    typed,
    written,
)
from cartrita.domain.desktop_places import Place, placed
from cartrita.domain.json import JsonObject, JsonValue
from cartrita.domain.messages import ToolCall
from cartrita.domain.tools import COMPUTER, ComputerTool, Tool, ToolSpec, VendorTool

_DESCRIPTION: Final = (
    "Use the desktop: see its screen, point, click and type. The actions are done in this order, "
    "up to the first that fails, and the screen after them is shown. {places}"
)
_PIXELS: Final = (
    "Places are pixels from the upper left corner of the screen, which is {width} wide and "
    "{height} high."
)
_GRID: Final = (
    "Places are told on a grid over the whole screen: from 0 to {grid} from left to right, and "
    "from 0 to {grid} from top to bottom."
)
_KINDS: Final = {
    "screenshot": "see the whole screen",
    "zoom": "see the `area` of the screen, enlarged",
    "cursor_position": "ask where the pointer is",
    "move": "move the pointer to `at`",
    "click": "click `button`, `times` times, `at` a place or where the pointer is, holding `keys`",
    "press": "press `button` and keep it down",
    "release": "let `button` go",
    "drag": "drag with the left button along `path`",
    "scroll": "turn the wheel `at` a place by notches `down` and `right`; up and left are negative",
    "type": "type `text`; {{secret:NAME}} in it types the secret of that name",
    "key": "press `keys` together, `times` times",
    "hold_key": "keep `keys` down for so many `seconds`",
    "wait": "wait for so many `seconds`",
}
"""What each action does, by its `type`."""


_FIELDS: Final = {
    str(one.__struct_config__.tag): frozenset(one.__struct_fields__) for one in get_args(Action)
}
"""The fields of each action, by its `type`."""

_EMPTY: Final[tuple[JsonValue, ...]] = (None, "", [], {})
_UNUSED: Final[JsonObject] = {"button": "left", "times": 1, "seconds": 0, "down": 0, "right": 0}
"""What models give to the fields that they do not use, as all actions are of one schema."""


class Unreadable(ValueError):
    """A call that does not say what is to be done; its text is for the model."""


def call_of(actions: Iterable[Action]) -> ComputerCall:
    """A call of these. Raises Unreadable for none, and for too many."""
    wanted = tuple(actions)
    if not 1 <= len(wanted) <= MOST_ACTIONS:
        raise Unreadable(f"A call has 1 to {MOST_ACTIONS} actions, and this one {len(wanted)}.")
    return ComputerCall(wanted)


def read_call(arguments: JsonObject, tool: ComputerTool) -> ComputerCall:
    """What the arguments of the function ask for. Raises Unreadable."""
    whole: JsonObject = {"actions": [arguments]} if "type" in arguments else arguments
    try:
        call = msgspec.convert(_cleaned(whole), ComputerCall)
    except msgspec.ValidationError as problem:
        raise Unreadable(f"The arguments of this call cannot be read: {problem}.") from None
    place = _to_pixels(tool, tool.grid) if tool.grid else None
    return call_of(each for one in call.actions for each in _read(one, place))


def call_arguments(call: ToolCall, tool: ComputerTool | None) -> JsonObject:
    """The arguments of a call that was made before, as those of the function if it is one of it."""
    if tool is None or call.name != COMPUTER or call.malformed:
        return call.arguments
    try:
        return _written(msgspec.convert(call.arguments, ComputerCall), tool)
    except msgspec.ValidationError:
        return call.arguments


def _written(call: ComputerCall, tool: ComputerTool) -> JsonObject:
    place = _to_grid(tool, tool.grid) if tool.grid else None
    return msgspec.to_builtins(ComputerCall(tuple(_write(one, place) for one in call.actions)))


def _read(action: Action, place: Place | None) -> tuple[Action, ...]:
    if isinstance(action, Type):
        return typed(action.text) if action.secret is None else (action,)
    if isinstance(action, Click | Drag | Scroll | Key | HoldKey) and action.keys:
        action = replace(action, keys=tuple(map(key_name, action.keys)))
    return (action if place is None else placed(action, place),)


def _write(action: Action, place: Place | None) -> Action:
    if isinstance(action, Type):
        return Type(written(action))
    return action if place is None else placed(action, place)


def _to_pixels(tool: ComputerTool, grid: int) -> Place:
    """From a grid, the last line of which is the last pixel."""
    across, down = (tool.width - 1) / grid, (tool.height - 1) / grid
    return lambda at: Point(round(at.x * across), round(at.y * down))


def _to_grid(tool: ComputerTool, grid: int) -> Place:
    across, down = grid / (tool.width - 1), grid / (tool.height - 1)
    return lambda at: Point(round(at.x * across), round(at.y * down))


def _cleaned(value: JsonValue) -> JsonValue:
    """With whole numbers for those that models write with a point, but for seconds, and without
    the fields that they do not use.
    """
    if isinstance(value, dict):
        own = _FIELDS.get(str(value.get("type")), frozenset[str]())
        return {
            name: each if name == "seconds" else _cleaned(each)
            for name, each in value.items()
            if _is_said(name, each, own)
        }
    if isinstance(value, list):
        return [_cleaned(each) for each in value]
    return round(value) if isinstance(value, float) else value


def _is_said(name: str, value: JsonValue, own: frozenset[str]) -> bool:
    """Whether a field says something. A place that was tried does: without one it is a click at
    the pointer.
    """
    if name == "at" and name in own:
        return value is not None
    return value not in _EMPTY and (name in own or value != _UNUSED.get(name, {}))


def with_functions(tools: Iterable[Tool]) -> Iterator[ToolSpec | VendorTool]:
    """The tools, with a desktop as a function."""
    for tool in tools:
        yield function_of(tool) if isinstance(tool, ComputerTool) else tool


def function_of(tool: ComputerTool) -> ToolSpec:
    """The function that is offered; its arguments are a `ComputerCall`."""
    places = _PIXELS if tool.grid is None else _GRID
    told = places.format(width=tool.width, height=tool.height, grid=tool.grid)
    kinds = {kind: what for kind, what in _KINDS.items() if tool.zoom or kind != "zoom"}
    actions: JsonObject = {
        "type": "array",
        "description": "What is done, in this order.",
        "minItems": 1,
        "maxItems": MOST_ACTIONS,
        "items": _action(kinds),
    }
    schema: JsonObject = {
        "type": "object",
        "properties": {"actions": actions},
        "required": ["actions"],
        "additionalProperties": False,
    }
    return ToolSpec(tool.name, _DESCRIPTION.format(places=told), schema)


def _action(kinds: dict[str, str]) -> JsonObject:
    told = "; ".join(f"{kind}: {what}" for kind, what in kinds.items())
    fields: JsonObject = {
        "type": {
            "type": "string",
            "enum": cast("list[JsonValue]", list(kinds)),
            "description": f"What is done. {told}.",
        },
        "at": _POINT,
        "button": {"type": "string", "enum": ["left", "middle", "right", "back", "forward"]},
        "times": {"type": "integer", "minimum": 1, "maximum": 100},
        "keys": {
            "type": "array",
            "items": {"type": "string"},
            "description": 'Keys that are held together, such as ["ctrl", "s"] or ["Return"].',
        },
        "path": {"type": "array", "items": _POINT, "minItems": 2},
        "down": {"type": "integer"},
        "right": {"type": "integer"},
        "text": {"type": "string", "maxLength": LONGEST_TYPED},
        "seconds": {"type": "number", "minimum": 0, "maximum": 300},
    }
    if "zoom" in kinds:
        fields["area"] = _AREA
    return {
        "type": "object",
        "properties": fields,
        "required": ["type"],
        "additionalProperties": False,
    }


def _whole_numbers(*names: str) -> JsonObject:
    """An object of whole numbers that has all of these."""
    return {
        "type": "object",
        "properties": {name: {"type": "integer"} for name in names},
        "required": cast("list[JsonValue]", list(names)),
        "additionalProperties": False,
    }


_POINT: Final = _whole_numbers("x", "y")
_AREA: Final = _whole_numbers("left", "top", "right", "bottom")

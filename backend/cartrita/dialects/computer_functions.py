"""A desktop as a plain function, for the models that no vendor trained for a tool of its own."""

from collections.abc import Iterable, Iterator
from typing import Final, cast

from cartrita.domain.desktop import LONGEST_TYPED, MOST_ACTIONS
from cartrita.domain.json import JsonObject, JsonValue
from cartrita.domain.tools import ComputerTool, Tool, ToolSpec, VendorTool

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

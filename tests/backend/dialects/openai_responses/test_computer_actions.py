"""The actions of OpenAI's computer tools, against the types of the vendor's own package."""

import pytest
from hypothesis import assume, given
from openai.types.responses import computer_action
from pydantic import TypeAdapter
from tests.backend.dialects.actions import actions
from tests.backend.examples import dialect_examples

from cartrita.dialects.computer_functions import Unreadable
from cartrita.dialects.openai_responses.computer_actions import read_action
from cartrita.domain.desktop import (
    Action,
    Click,
    Drag,
    Key,
    Keys,
    Move,
    Point,
    Screenshot,
    Scroll,
    Type,
    Wait,
    written,
)
from cartrita.domain.json import JsonObject, JsonValue

_VENDORS: TypeAdapter[object] = TypeAdapter(computer_action.ComputerAction)
_BUTTONS = {"left": "left", "right": "right", "middle": "wheel", "back": "back"}


def _written(action: Action) -> JsonObject | None:
    """The action as OpenAI's models write it; None where they have none that does the same."""
    match action:
        case Screenshot():
            return {"type": "screenshot"}
        case Wait(seconds=1.0):
            return {"type": "wait"}
        case Move(at=at):
            return {"type": "move", **_place(at)}
        case Drag(path=path, keys=keys):
            return {"type": "drag", "path": [_place(at) for at in path], **_held(keys)}
        case Type():
            return {"type": "type", "text": written(action)}
        case Key(keys=keys, times=1):
            return {"type": "keypress", "keys": [*keys]}
        case _:
            return _pointed(action)


def _pointed(action: Action) -> JsonObject | None:
    match action:
        case Scroll(at=Point() as at, down=down, right=right, keys=keys):
            turned: JsonObject = {"scroll_x": right * 120, "scroll_y": down * 120}
            return {"type": "scroll", **_place(at), **turned, **_held(keys)}
        case Click(at=Point() as at, times=1, button=button, keys=keys):
            named = _BUTTONS.get(button, button)
            return {"type": "click", **_place(at), "button": named, **_held(keys)}
        case Click(at=Point() as at, times=2, button="left", keys=keys):
            return {"type": "double_click", **_place(at), **_held(keys)}
        case _:
            return None


def _place(at: Point) -> JsonObject:
    return {"x": at.x, "y": at.y}


def _held(keys: Keys) -> JsonObject:
    return {"keys": [*keys]} if keys else {}


@dialect_examples
@given(actions())
def test_what_the_vendors_models_write_is_read(action: Action) -> None:
    wire = _written(action)
    assume(wire is not None)
    _VENDORS.validate_python(wire)
    assert read_action(wire) == (action,)


@pytest.mark.parametrize(
    ("wire", "action"),
    [
        ({"type": "click", "x": 1.6, "y": 2}, Click(Point(2, 2))),
        ({"type": "keypress", "keys": ["CTRL", "ARROWLEFT"]}, Key(("ctrl", "Left"))),
        ({"type": "scroll", "x": 1, "y": 2, "scroll_y": 10}, Scroll(1, 0, Point(1, 2))),
        ({"type": "scroll", "x": 1, "y": 2, "scroll_x": -500}, Scroll(0, -4, Point(1, 2))),
        ({"type": "scroll", "x": 1, "y": 2, "scroll_y": 90000}, Scroll(100, 0, Point(1, 2))),
        ({"type": "type", "text": "{{secret:PIN}}"}, Type(secret="PIN")),
        ({"type": "wait", "ms": 1}, Wait()),
    ],
)
def test_an_action_is_read(wire: JsonObject, action: Action) -> None:
    assert read_action(wire) == (action,)


@pytest.mark.parametrize(
    "wire",
    [
        {"type": "launch"},
        {"type": "click", "x": 1},
        {"type": "click", "x": 1, "y": 1, "button": "fourth"},
        {"type": "drag", "path": [{"x": 1, "y": 1}]},
        {"type": "keypress", "keys": []},
        {"type": "move", "x": 1e9, "y": 1},
        "click",
        None,
    ],
)
def test_an_action_that_cannot_be_read_says_why(wire: JsonValue) -> None:
    with pytest.raises(Unreadable, match=r"An action of this call cannot be read: .+\."):
        read_action(wire)

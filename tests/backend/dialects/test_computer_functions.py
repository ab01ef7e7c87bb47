"""A desktop as a plain function."""

import re
from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.backend.dialects.actions import actions
from tests.backend.examples import examples

from cartrita.dialects.computer_functions import (
    Unreadable,
    call_arguments,
    function_of,
    read_call,
    with_functions,
)
from cartrita.dialects.function_schemas import find_problem
from cartrita.domain.desktop import Action, ComputerCall, Drag, Key, Point
from cartrita.domain.json import JsonObject
from cartrita.domain.messages import ToolCall
from cartrita.domain.tools import ComputerTool, ToolSpec, VendorTool

SCREEN = ComputerTool(1280, 800)


def _kinds(spec: ToolSpec) -> list[str]:
    return re.findall(r"'enum': (\[.*?\])", str(spec.parameters))[0][2:-2].split("', '")


def test_the_function_has_every_action() -> None:
    spec = function_of(SCREEN)
    known = {one.__struct_config__.tag for one in get_args(Action)}
    assert set(_kinds(spec)) == known
    assert find_problem(spec.parameters) is None
    assert "1280 wide and 800 high" in spec.description


def test_what_cannot_be_done_is_not_offered() -> None:
    spec = function_of(ComputerTool(1280, 800, zoom=False))
    assert "zoom" not in _kinds(spec)
    assert "area" not in str(spec.parameters)


def test_a_grid_is_told_instead_of_pixels() -> None:
    description = function_of(ComputerTool(1280, 800, grid=1000)).description
    assert "from 0 to 1000" in description
    assert "1280" not in description


@pytest.mark.parametrize("other", [ToolSpec("a", "b", {}), VendorTool("openai_chat", "c", {})])
def test_other_tools_stay_as_they_are(other: ToolSpec | VendorTool) -> None:
    assert list(with_functions((other, SCREEN))) == [other, function_of(SCREEN)]


@examples
@given(st.lists(actions(), min_size=1, max_size=4))
def test_what_is_written_as_a_function_is_read_again(done: list[Action]) -> None:
    call = ComputerCall(tuple(done))
    part = ToolCall("c", "computer", msgspec.to_builtins(call))
    assert read_call(call_arguments(part, SCREEN), SCREEN) == call


@examples
@given(st.lists(actions(), min_size=1, max_size=4))
def test_places_on_a_grid_are_those_on_the_screen(done: list[Action]) -> None:
    screen = ComputerTool(1000, 600, grid=1000)  # no pixel of which is missed by the grid
    call = ComputerCall(tuple(done))
    part = ToolCall("c", "computer", msgspec.to_builtins(call))
    assert read_call(call_arguments(part, screen), screen) == call


def test_the_ends_of_a_grid_are_those_of_the_screen() -> None:
    screen = ComputerTool(1280, 800, grid=1000)
    path: JsonObject = {"type": "drag", "path": [{"x": 0, "y": 0}, {"x": 1000, "y": 1000.0}]}
    assert read_call({"actions": [path]}, screen).actions == (
        Drag((Point(0, 0), Point(1279, 799))),
    )


@pytest.mark.parametrize(
    "arguments",
    [
        {"type": "key", "keys": ["CTRL", "Enter"]},
        {"actions": [{"type": "key", "keys": ["CTRL", "Enter"]}], "checks": [{"id": "forged"}]},
        {"type": "key", "keys": ["CTRL", "Enter"], "at": None, "text": None, "times": 1.0},
        {"type": "key", "keys": ["CTRL", "Enter"], "at": {}, "text": "", "path": [], "checks": []},
        {"type": "key", "keys": ["CTRL", "Enter"], "button": "left", "seconds": 0, "down": 0.0},
    ],
)
def test_a_function_is_read_with_some_patience(arguments: JsonObject) -> None:
    assert read_call(arguments, SCREEN) == ComputerCall((Key(("ctrl", "Return")),))


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"actions": []},
        {"actions": [{"type": "launch"}]},
        {"actions": [{"type": "move"}]},
        {"actions": [{"type": "wait", "seconds": -1}]},
        {"actions": [{"type": "wait"}] * 65},
        {"actions": [{"type": "type", "text": "x" * 10_001}]},
        {"type": "click", "x": 300, "y": 300},
        {"type": "click", "coordinate": [300, 300]},
        {"type": "click", "at": {"x": 3, "y": 4, "z": 5}},
        {"type": "click", "text": "OK"},
        {"type": "click", "at": {}},
        {"type": "click", "at": ""},
        {"type": "scroll", "at": [], "down": 3},
        {"type": "click", "at": {"x": None, "y": None}},
        {"type": "move", "at": {"x": 3, "y": 4}, "button": "right"},
        {"type": "click", "at": {"x": 3, "y": 4}, "seconds": 2},
        {"type": "scroll", "direction": "down", "amount": 5},
        {"type": "type", "value": "hello"},
        {"actions": [{"type": "wait"}], "then": "click"},
    ],
)
def test_arguments_that_cannot_be_read_say_why(arguments: JsonObject) -> None:
    with pytest.raises(Unreadable, match=r"The arguments of this call cannot be read: .+\."):
        read_call(arguments, SCREEN)


def test_secrets_that_make_a_call_too_long_are_refused() -> None:
    text = "{{secret:A}}" * 65
    with pytest.raises(Unreadable, match="A call has 1 to 64 actions, and this one 65"):
        read_call({"type": "type", "text": text}, SCREEN)


def test_a_call_without_a_desktop_stays_as_it_is() -> None:
    part = ToolCall("c", "computer", {"actions": [{"type": "wait"}], "more": 1})
    assert call_arguments(part, None) == part.arguments

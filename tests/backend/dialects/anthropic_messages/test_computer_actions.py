"""The members of Anthropic's computer toolset, against the types of the vendor's own package."""

from typing import get_args

import anthropic.types as sdk
import pytest
from hypothesis import assume, given
from pydantic import TypeAdapter
from tests.backend.dialects.actions import actions
from tests.backend.examples import dialect_examples

from cartrita.dialects.anthropic_messages.computer_actions import read_member, write_member
from cartrita.dialects.computer_functions import Unreadable
from cartrita.domain.desktop import (
    Action,
    Area,
    Click,
    Drag,
    Key,
    Move,
    Point,
    Press,
    Release,
    Screenshot,
    Scroll,
    Type,
    Wait,
    Zoom,
)
from cartrita.domain.json import JsonObject

MEMBERS = get_args(sdk.ComputerMemberName)
_MEMBER_INPUTS: dict[str, TypeAdapter[object]] = {
    name: TypeAdapter(getattr(sdk, f"Computer{name.title().replace('_', '')}Input"))
    for name in MEMBERS
}


@dialect_examples
@given(actions())
def test_what_is_written_is_read_again_and_is_the_vendors(action: Action) -> None:
    member = write_member(action)
    assume(member is not None)
    assert member is not None
    name, given_input = member
    assert read_member(name, given_input) == (action,)
    _MEMBER_INPUTS[name].validate_python(given_input)


@pytest.mark.parametrize(
    ("name", "given", "done"),
    [
        ("screenshot", {}, [Screenshot()]),
        ("zoom", {"region": [0, 10, 200, 110]}, [Zoom(Area(0, 10, 200, 110))]),
        ("left_click", {}, [Click()]),
        ("left_click", {"coordinate": [3.4, 5.0]}, [Click(Point(3, 5))]),
        (
            "triple_click",
            {"coordinate": [1, 2], "text": "ctrl+shift"},
            [Click(Point(1, 2), times=3, keys=("ctrl", "shift"))],
        ),
        (
            "left_click_drag",
            {"start_coordinate": [1, 2], "coordinate": [3, 4]},
            [Drag((Point(1, 2), Point(3, 4)))],
        ),
        ("left_click_drag", {"coordinate": [3, 4]}, [Press(), Move(Point(3, 4)), Release()]),
        (
            "scroll",
            {"scroll_direction": "up", "scroll_amount": 3, "coordinate": [1, 2]},
            [Scroll(-3, 0, Point(1, 2))],
        ),
        ("scroll", {"scroll_direction": "right", "scroll_amount": 2}, [Scroll(0, 2)]),
        ("type", {"text": "me{{secret:PIN}}"}, [Type("me"), Type(secret="PIN")]),
        ("key", {"text": "Down", "repeat": 5}, [Key(("Down",), 5)]),
        ("key", {"text": "Down Down ctrl+s"}, [Key(("Down",)), Key(("Down",)), Key(("ctrl", "s"))]),
        ("wait", {"duration": 0.5}, [Wait(0.5)]),
    ],
)
def test_a_member_is_read(name: str, given: JsonObject, done: list[Action]) -> None:
    assert list(read_member(name, given)) == done


@pytest.mark.parametrize(
    ("name", "given", "problem"),
    [
        ("launch", {}, "There is no action launch; there are: screenshot, zoom"),
        ("mouse_move", {}, "mouse_move needs `coordinate`, a place as [x, y]."),
        ("left_click", {"coordinate": [1]}, "The input of left_click cannot be read: "),
        ("left_click", {"coordinate": [1, 1e9]}, "The input of left_click cannot be read: "),
        ("zoom", {}, "zoom needs `region`"),
        ("scroll", {"scroll_direction": "up"}, "scroll needs `scroll_direction` and"),
        ("type", {}, "type needs `text`."),
        ("key", {"text": "ctrl+"}, "key needs the names of keys, such as ctrl+s, and not 'ctrl+'"),
        ("key", {"text": "a", "repeat": 101}, "The input of key cannot be read: "),
        ("hold_key", {"text": "a"}, "hold_key needs `duration`, in seconds."),
        ("hold_key", {"text": "a", "duration": -1}, "The input of hold_key cannot be read: "),
        ("wait", {"duration": 301}, "The input of wait cannot be read: "),
    ],
)
def test_a_member_that_cannot_be_read_says_why(name: str, given: JsonObject, problem: str) -> None:
    with pytest.raises(Unreadable) as refused:
        read_member(name, given)
    assert str(refused.value).startswith(problem)


@pytest.mark.parametrize("name", MEMBERS)
def test_every_member_of_the_vendor_is_known(name: str) -> None:
    with pytest.raises(Unreadable, match=rf"cannot be read|^{name} needs"):
        read_member(name, {"coordinate": "there", "repeat": 0})

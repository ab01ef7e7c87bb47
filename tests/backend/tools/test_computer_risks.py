"""The rule by which people are asked: docs/computer-use.md tells it in a table."""

from typing import Any, cast

import pytest

from cartrita.agents.tool_approvals import is_approval_needed
from cartrita.domain.approvals import ApprovalPolicy
from cartrita.domain.desktop import Button, Click, Drag, Point, Press, Release
from cartrita.domain.desktop_hands import held_after
from cartrita.domain.json import JsonObject
from cartrita.tools.computer_risks import risk_of_call
from cartrita.tools.tool import Risk

PLACE = {"x": 1, "y": 2}
LOOK: dict[str, Any] = {"type": "screenshot"}


def risk(*actions: dict[str, Any], **more: Any) -> Risk:
    return risk_of_call({"actions": list(actions), **more})


@pytest.mark.parametrize(
    "action",
    [
        LOOK,
        {"type": "zoom", "area": {"left": 0, "top": 0, "right": 9, "bottom": 9}},
        {"type": "cursor_position"},
        {"type": "wait", "seconds": 2},
    ],
)
def test_looking_may_be_done_again(action: dict[str, Any]) -> None:
    assert risk(action) is Risk.READ


@pytest.mark.parametrize(
    "action",
    [
        {"type": "move", "at": PLACE},
        {"type": "scroll", "down": 3},
        {"type": "type", "text": "grün 🌊"},
        {"type": "type", "text": "yes"},
        {"type": "key", "keys": ["Page_Down"]},
        {"type": "key", "keys": ["shift", "End"]},
        {"type": "key", "keys": ["BackSpace"]},
        {"type": "key", "keys": ["CTRL", "a"]},
    ],
)
def test_filling_something_in_asks_nobody_and_is_not_repeated(action: dict[str, Any]) -> None:
    assert risk(action) is Risk.TOUCH
    assert not is_approval_needed(ApprovalPolicy.RISKY, Risk.TOUCH)


@pytest.mark.parametrize(
    "action",
    [
        {"type": "click"},
        {"type": "press"},
        {"type": "release"},
        {"type": "drag", "path": [PLACE, PLACE]},
        {"type": "scroll", "down": 3, "keys": ["ctrl"]},
        {"type": "type", "text": "rm -rf ~\n"},
        {"type": "type", "text": "a\tb"},
        {"type": "type", "text": "a\rb"},
        {"type": "type", "text": "abc\x1b"},
        {"type": "type", "text": "abc\u2028"},
        {"type": "type", "text": "q"},
        {"type": "type", "text": "ZZ"},
        {"type": "type", "text": " y \u200b"},
        {"type": "type", "text": "     "},
        {"type": "type", "text": ""},
        {"type": "type", "secret": "PASSWORD"},
        {"type": "key", "keys": []},
        {"type": "key", "keys": ["space"]},
        {"type": "key", "keys": ["t"]},
        {"type": "key", "keys": ["7"]},
        {"type": "key", "keys": ["shift", "A"]},
        {"type": "key", "keys": ["shift"]},
        {"type": "key", "keys": ["Delete"]},
        {"type": "key", "keys": ["shift", "Delete"]},
        {"type": "key", "keys": ["ctrl", "c"]},
        {"type": "key", "keys": ["Return"]},
        {"type": "key", "keys": ["KP_Enter"]},
        {"type": "key", "keys": ["ctrl", "v"]},
        {"type": "key", "keys": ["alt", "F4"]},
        {"type": "key", "keys": ["super", "a"]},
        {"type": "hold_key", "keys": ["a"], "seconds": 1},
    ],
)
def test_doing_something_asks_a_person(action: dict[str, Any]) -> None:
    assert risk(action) is Risk.ACT
    assert is_approval_needed(ApprovalPolicy.RISKY, Risk.ACT)
    assert not is_approval_needed(ApprovalPolicy.NEVER, Risk.ACT)


def test_a_call_is_as_risky_as_its_riskiest_action() -> None:
    assert risk(LOOK, {"type": "move", "at": PLACE}) is Risk.TOUCH
    assert risk(LOOK, {"type": "click"}, {"type": "move", "at": PLACE}) is Risk.ACT


def test_what_a_vendor_wants_checked_is_always_asked() -> None:
    assert risk(LOOK, checks=[{"id": "c1"}]) is Risk.CHECK
    assert all(is_approval_needed(policy, Risk.CHECK) for policy in ApprovalPolicy)


def test_wrong_arguments_do_nothing() -> None:
    assert risk_of_call({"actions": [{"type": "explode"}]}) is Risk.READ
    assert risk_of_call({}) is Risk.READ


def test_moving_the_pointer_drags_while_a_button_is_down() -> None:
    moves: list[dict[str, Any]] = [{"type": "move", "at": PLACE}, {"type": "scroll", "down": 3}]
    others: list[dict[str, Any]] = [LOOK, {"type": "type", "text": "yes"}]
    down: frozenset[Button] = frozenset({"left", "right"})
    for action in moves:
        assert risk_of_call({"actions": [cast("JsonObject", action)]}, down) is Risk.ACT
    for action in others:
        assert risk_of_call({"actions": [cast("JsonObject", action)]}, down) is not Risk.ACT
    let_go = held_after(held_after(down, Release()), Click(button="right"))
    assert let_go == frozenset()
    assert held_after(held_after(let_go, Press()), Drag((Point(1, 1), Point(2, 2)))) == let_go

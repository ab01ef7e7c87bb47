"""Tools of desktops: for whose keys they are, and what they do not take."""

from typing import cast
from unittest.mock import create_autospec

import pytest
from tests.backend.tools.contexts import context

from cartrita.domain.json import JsonObject
from cartrita.domain.ports.desktop_use import DesktopUse, HandOvers
from cartrita.domain.principals import Principal
from cartrita.domain.scopes import Operation, Scopes
from cartrita.tools.ask_for_hand_over import hand_over_tool
from cartrita.tools.computer import computer_tool

USE, HAND_OVERS = create_autospec(DesktopUse, instance=True), cast("HandOvers", None)


def test_a_key_needs_the_operation_desktop_for_them() -> None:
    tools = computer_tool(USE, (1280, 800), timeout_s=1.0), hand_over_tool(USE, HAND_OVERS)
    for operations, allowed in (((Operation.CHAT,), False), ((Operation.DESKTOP,), True)):
        principal = Principal("ann", "key", scopes=Scopes(operations=operations))
        assert [tool.allows(principal) for tool in tools] == [allowed] * 2


@pytest.mark.parametrize(
    "wrong", [{}, {"reason": ""}, {"reason": "x" * 1001}, {"reason": "Sign in.", "more": 1}]
)
def test_what_is_said_wrong_of_a_hand_over_is_known_before_a_person_is_asked(
    wrong: JsonObject,
) -> None:
    assert "The arguments are wrong" in (hand_over_tool(USE, HAND_OVERS).wrong(wrong) or "")
    assert hand_over_tool(USE, HAND_OVERS).wrong({"reason": "Sign in."}) is None


@pytest.mark.parametrize("wrong", [{}, {"actions": []}, {"actions": [{"type": "jump"}]}])
async def test_what_is_said_wrong_of_a_call_is_known_before_a_person_is_asked(
    wrong: JsonObject,
) -> None:
    tool = computer_tool(USE, (1280, 800), timeout_s=1.0)
    assert tool.wrong(wrong) == (await tool.run(context(), wrong)).text
    assert tool.wrong({"actions": [{"type": "screenshot"}]}) is None

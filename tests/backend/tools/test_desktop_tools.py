"""Tools of desktops are for keys that are for desktops."""

from typing import cast
from unittest.mock import create_autospec

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

"""The toolbox finds tools by name and tells which there are."""

import pytest
from tests.backend.tools.contexts import context

from cartrita.domain.errors import InvalidInput
from cartrita.tools.calculator import CALCULATOR
from cartrita.tools.schema import tool
from cartrita.tools.tool import ToolContext, ToolOutput
from cartrita.tools.toolbox import Toolbox


async def second(_: ToolContext) -> ToolOutput:
    """Do nothing."""
    return ToolOutput("done")


SECOND = tool(second)
BOX = Toolbox((CALCULATOR, SECOND))


def test_tools_are_found_by_name() -> None:
    assert BOX.find("calculator") is CALCULATOR
    assert BOX.find("other") is None
    assert [each.name for each in BOX.only(("second", "other"))] == ["second"]
    assert [each.name for each in BOX.without(("second",))] == ["calculator"]
    assert [each.name for each in BOX.specs] == ["calculator", "second"]
    assert len(BOX) == 2


def test_a_missing_tool_is_refused_with_those_that_exist() -> None:
    BOX.require(("second",))
    with pytest.raises(InvalidInput, match="there are: calculator, second") as refused:
        BOX.require(("nothing",))
    assert list(refused.value.fields) == ["tools"]
    with pytest.raises(InvalidInput, match="there are: none"):
        Toolbox().require(("x",), "agents.a.tools")


async def test_the_calculator_as_a_tool() -> None:
    output = await CALCULATOR.run(context(), {"expression": "6*7"})
    assert (output.text, output.data) == ("6*7 = 42", {"value": "42"})

"""The toolbox finds tools by name and tells which there are."""

import pytest
from tests.backend.tools.contexts import context

from cartrita.tools.calculator import CALCULATOR
from cartrita.tools.schema import tool
from cartrita.tools.tool import Tool, ToolContext, ToolOutput
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


async def other(_: ToolContext) -> ToolOutput:
    """Do something else."""
    return ToolOutput("other")


class Supply:
    """Two tools of a server, and one that takes the name of another."""

    prefix = "garden__"

    def __init__(self) -> None:
        self.asked = 0

    async def tools(self) -> list[Tool]:
        self.asked += 1
        names = ("garden__grow", "garden__cut", "second")
        return [tool(other, name=name) for name in names]


async def test_what_is_supplied_comes_in_when_it_is_filled() -> None:
    box = Toolbox((CALCULATOR, SECOND), (Supply(),))
    assert len(box) == 2
    filled = await box.filled(("*",))
    names = ["calculator", "second", "garden__grow", "garden__cut"]
    assert [each.name for each in filled] == names
    assert filled.find("second") is SECOND
    assert await BOX.filled(("*",)) is BOX


@pytest.mark.parametrize(
    ("names", "asked"),
    [
        ((), 0),
        (("calculator", "rain__*", "gardens__grow", "*_x", "gar"), 1),
        (("calculator", "rain__*", "gardens__grow", "gar"), 0),
        (("garden__grow",), 1),
        (("garden__*",), 1),
        (("gar*",), 1),
        (("garden__g*",), 1),
    ],
)
async def test_only_a_supply_that_is_named_is_asked(names: tuple[str, ...], asked: int) -> None:
    supply = Supply()
    filled = await Toolbox((CALCULATOR,), (supply,)).filled(names)
    assert supply.asked == asked
    assert filled.find("calculator") is CALCULATOR


async def test_patterns_name_tools_that_there_are() -> None:
    filled = await Toolbox((CALCULATOR, SECOND), (Supply(),)).filled(("*",))

    def only(*names: str) -> list[str]:
        return [each.name for each in filled.only(names)]

    assert only("garden__*") == ["garden__grow", "garden__cut"]
    assert only("garden__cut", "garden__*", "second") == ["garden__cut", "garden__grow", "second"]
    assert only("rain__*") == []
    assert only("*_cut") == ["garden__cut"]


def test_names_of_supplied_tools_are_known_before_they_are_there() -> None:
    supply = Supply()
    names = ("calculator", "run_code", "garden__grow", "garden__*", "rain__*", "calc*")
    known = Toolbox((CALCULATOR,), (supply,)).known(names)
    assert known == ("calculator", "garden__grow", "garden__*", "calc*")
    assert supply.asked == 0


async def test_the_calculator_as_a_tool() -> None:
    output = await CALCULATOR.run(context(), {"expression": "6*7"})
    assert output.text == "6*7 = 42"

"""The tools that a model is offered, and whose calls of them are whose."""

import pytest

from cartrita.agents.offered_tools import OfferedTools
from cartrita.agents.tool_runner import PlacedCall
from cartrita.domain.messages import Text, ToolCall
from cartrita.domain.step_places import WHOLE_RUN
from cartrita.domain.tools import ToolSpec
from cartrita.tools.calculator import CALCULATOR
from cartrita.tools.toolbox import Toolbox

BOX = Toolbox([CALCULATOR])
WEATHER = ToolSpec("weather", "", {})
BOTH = OfferedTools(BOX, (WEATHER,), in_task=False)


def call(name: str, *, malformed: bool = False) -> ToolCall:
    return ToolCall(f"of_{name}", name, {}, malformed=malformed)


@pytest.mark.parametrize(
    ("offered", "own"),
    [
        (BOTH, ["calculator", "nobodys"]),
        (BOTH.given_only(), []),
        (OfferedTools(BOX, (WEATHER, ToolSpec("calculator", "", {})), in_task=False), []),
        (OfferedTools(Toolbox(), (WEATHER,), in_task=True), ["calculator", "weather", "nobodys"]),
    ],
)
def test_the_caller_is_asked_for_what_it_gave(offered: OfferedTools, own: list[str]) -> None:
    names = ("calculator", "weather", "nobodys")
    assert [name for name in names if offered.is_own(call(name))] == own
    assert offered.is_own(call("weather", malformed=True))


def test_a_model_is_told_of_all_of_them() -> None:
    assert [one.name for one in BOTH.told] == ["calculator", "weather"]
    assert [one.name for one in BOTH.given_only().told] == ["weather"]
    assert (BOTH.any_allowed, BOTH.given_only().any_allowed) == (True, False)


def test_calls_keep_their_places_among_all_of_a_step() -> None:
    step = WHOLE_RUN.step(3)
    parts = (Text("I ask."), call("weather"), Text("And count."), call("calculator"))
    assert BOTH.own_calls(step, parts) == [PlacedCall(step.call(2), call("calculator"))]

"""Tool calls are assembled from their deltas, and their arguments are JSON."""

import pytest

from cartrita.agents.agent import AgentLimits
from cartrita.agents.tool_calls import MalformedSteps, ToolCallAssembler
from cartrita.domain.deltas import ToolCallDelta
from cartrita.domain.errors import UpstreamMalformed
from cartrita.domain.events import ToolCalled
from cartrita.domain.fold import call_of
from cartrita.domain.json import JsonObject
from cartrita.domain.messages import ToolCall


def called(text: str) -> ToolCalled:
    calls = ToolCallAssembler("p", AgentLimits())
    calls.add(ToolCallDelta(0, "c1", "look", text))
    (one,) = calls.complete()
    return one


@pytest.mark.parametrize(
    ("name", "called"),
    [
        ("functions.look", "functions_look"),
        ("a.b", "a.b"),
        ("\u202e\r\n../x", "______x"),
        ("x" * 100, "x" * 64),
    ],
)
def test_a_name_of_no_tool_is_one_that_vendors_take(name: str, called: str) -> None:
    """They refuse a conversation for ever that has another, and the model made it up."""
    calls = ToolCallAssembler("p", AgentLimits(), offered={"a.b"})
    calls.add(ToolCallDelta(0, "c1", name, "{}"))
    assert [each.name for each in calls.complete()] == [called]


def test_half_a_surrogate_pair_is_replaced() -> None:
    assert called('{"a": "\\ud800", "b": 1.5}').arguments == {"a": "\ufffd", "b": 1.5}


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"])
def test_numbers_that_are_none_make_a_call_malformed(number: str) -> None:
    text = f'{{"a": {number}}}'
    assert called(text) == ToolCalled("c1", "look", {"INVALID_JSON": text}, malformed=True)


def test_the_text_of_a_malformed_call_can_be_stored() -> None:
    assert called("\x00{\ud800").arguments == {"INVALID_JSON": "{\ufffd"}


def test_three_steps_in_a_row_of_nothing_but_malformed_calls_are_given_up() -> None:
    broken = ToolCall("c", "look", {}, malformed=True)
    steps = MalformedSteps("p")
    for _ in range(2):
        steps.count([broken])
    steps.count([broken, ToolCall("d", "look", {})])
    for _ in range(2):
        steps.count([broken, broken])
    with pytest.raises(UpstreamMalformed, match=r"p called tools .* in 3 steps"):
        steps.count([broken])


def test_a_call_that_came_whole_keeps_what_its_vendor_wrote() -> None:
    calls = ToolCallAssembler("p", AgentLimits(), offered={"computer"})
    vendor: JsonObject = {"type": "computer_call"}
    calls.add(ToolCallDelta(0, "c1", "computer", '{"a": 1}', None, "openai_responses", vendor))
    (one,) = calls.complete()
    assert call_of(one) == ToolCall(
        "c1", "computer", {"a": 1}, origin="openai_responses", vendor=vendor
    )


def test_a_call_that_a_dialect_could_not_read_is_malformed_and_says_why() -> None:
    calls = ToolCallAssembler("p", AgentLimits(), offered={"computer"})
    calls.add(ToolCallDelta(0, "c1", "computer", '{"a": 1}', "It has no place."))
    (one,) = calls.complete()
    assert one.malformed
    assert one.problem == "It has no place."
    assert one.arguments == {"INVALID_JSON": '{"a": 1}'}

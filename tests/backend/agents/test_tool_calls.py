"""Tool calls are assembled from their deltas, and their arguments are JSON."""

import pytest

from cartrita.agents.agent import AgentLimits
from cartrita.agents.tool_calls import ToolCallAssembler
from cartrita.domain.deltas import ToolCallDelta
from cartrita.domain.errors import UpstreamMalformed
from cartrita.domain.json import JsonObject


def arguments_of(text: str) -> JsonObject:
    calls = ToolCallAssembler("p", AgentLimits())
    calls.add(ToolCallDelta(0, "c1", "look", text))
    (called,) = calls.complete()
    return called.arguments


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
    assert arguments_of('{"a": "\\ud800", "b": 1.5}') == {"a": "\ufffd", "b": 1.5}


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"])
def test_numbers_that_are_none_are_refused(number: str) -> None:
    with pytest.raises(UpstreamMalformed, match="arguments"):
        arguments_of(f'{{"a": {number}}}')

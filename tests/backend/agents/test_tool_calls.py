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


def test_half_a_surrogate_pair_is_replaced() -> None:
    assert arguments_of('{"a": "\\ud800", "b": 1.5}') == {"a": "\ufffd", "b": 1.5}


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"])
def test_numbers_that_are_none_are_refused(number: str) -> None:
    with pytest.raises(UpstreamMalformed, match="arguments"):
        arguments_of(f'{{"a": {number}}}')

"""Calls of a desktop are told whole, among others that are told as they come."""

import msgspec
import pytest

from cartrita.dialects.computer_calls import ComputerCalls, FunctionForm
from cartrita.domain.deltas import (
    Delta,
    Finished,
    FinishReason,
    TextDelta,
    ToolCallDelta,
    VendorDelta,
)
from cartrita.domain.messages import VendorPart
from cartrita.domain.tools import ComputerTool
from cartrita.domain.usage import Usage

STOP = Finished(FinishReason.STOP, Usage())
WAIT = '{"actions":[{"type":"wait"}]}'


def told(*deltas: Delta) -> list[Delta]:
    calls = ComputerCalls(FunctionForm(ComputerTool(1280, 800)))
    return [one for delta in deltas for one in calls.feed([delta])]


def test_a_call_is_told_whole_at_the_end() -> None:
    assert told(
        ToolCallDelta(0, "c1", "computer", WAIT[:9]),
        TextDelta("Now"),
        ToolCallDelta(0, arguments=WAIT[9:]),
        STOP,
    ) == [
        TextDelta("Now"),
        ToolCallDelta(0, "c1", "computer", WAIT),
        Finished(FinishReason.TOOL_CALL, Usage()),
    ]


def test_other_calls_are_told_as_they_come() -> None:
    assert told(
        ToolCallDelta(3, "c1", "look", "{"),
        ToolCallDelta(5, "c2", "computer", WAIT),
        ToolCallDelta(3, arguments="}"),
        Finished(FinishReason.TOOL_CALL, Usage()),
    ) == [
        ToolCallDelta(0, "c1", "look", "{"),
        ToolCallDelta(0, arguments="}"),
        ToolCallDelta(1, "c2", "computer", WAIT),
        Finished(FinishReason.TOOL_CALL, Usage()),
    ]


def test_a_name_may_come_late_or_never() -> None:
    assert told(
        ToolCallDelta(0, "c1", arguments='{"a"'),
        ToolCallDelta(1, "c2", arguments="{"),
        ToolCallDelta(0, name="look", arguments=":1}"),
        STOP,
    ) == [
        ToolCallDelta(0, "c1", "look", '{"a":1}'),
        ToolCallDelta(1, "c2", arguments="{"),
        Finished(FinishReason.TOOL_CALL, Usage()),
    ]


@pytest.mark.parametrize("written", ["{", "[1]", '"a"', "{" * 10_000])
def test_arguments_that_are_no_object_are_told_as_they_are(written: str) -> None:
    call, _ = told(ToolCallDelta(0, "c1", "computer", written), STOP)
    assert call == ToolCallDelta(0, "c1", "computer", written)


def test_arguments_that_cannot_be_read_say_why() -> None:
    call, _ = told(ToolCallDelta(0, "c1", "computer", '{"actions":[{"type":"launch"}]}'), STOP)
    assert isinstance(call, ToolCallDelta)
    assert (call.problem or "").startswith("The arguments of this call cannot be read: ")
    assert msgspec.json.decode(call.arguments) == {"actions": [{"type": "launch"}]}


def test_what_is_no_call_is_passed_on() -> None:
    part = VendorDelta(VendorPart("openai_responses", {"type": "computer_call"}))
    assert told(TextDelta("a"), part, STOP) == [TextDelta("a"), part, STOP]

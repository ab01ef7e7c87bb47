"""Deltas of parallel tool calls are put one after the other, and none is lost."""

from cartrita.dialects.anthropic_messages.delta_order import DeltaOrder
from cartrita.domain.deltas import Delta, TextDelta, ToolCallDelta


def ordered(*deltas: Delta) -> list[Delta]:
    order = DeltaOrder()
    return [done for delta in deltas for done in order.feed(delta)] + order.end()


def test_calls_one_after_the_other_are_passed_on_at_once() -> None:
    order = DeltaOrder()
    begun = ToolCallDelta(0, "a", "f")
    assert order.feed(TextDelta("x")) == [TextDelta("x")]
    assert order.feed(begun) == [begun]
    assert order.feed(ToolCallDelta(0, arguments="{")) == [ToolCallDelta(0, arguments="{")]
    assert order.feed(ToolCallDelta(0, arguments="}")) == [ToolCallDelta(0, arguments="}")]
    assert order.feed(ToolCallDelta(1, "b", "g", "{}")) == [ToolCallDelta(1, "b", "g", "{}")]
    assert order.feed(TextDelta("y")) == [TextDelta("y")]
    assert order.end() == []


def test_mixed_calls() -> None:
    assert ordered(
        ToolCallDelta(0, "a", "f"),
        ToolCallDelta(1, "b", "g"),
        ToolCallDelta(2, "c", "h"),
        ToolCallDelta(1, arguments="{"),
        ToolCallDelta(0, arguments="{"),
        TextDelta("x"),
        ToolCallDelta(2, arguments="{}"),
        ToolCallDelta(0, arguments="}"),
        ToolCallDelta(1, arguments="}"),
        ToolCallDelta(0, arguments=" "),
    ) == [
        ToolCallDelta(0, "a", "f"),
        ToolCallDelta(0, arguments="{"),
        ToolCallDelta(0, arguments="}"),
        ToolCallDelta(1, "b", "g"),
        ToolCallDelta(1, arguments="{"),
        ToolCallDelta(1, arguments="}"),
        ToolCallDelta(2, "c", "h"),
        ToolCallDelta(2, arguments="{}"),
        TextDelta("x"),
    ]


def test_a_call_begins_with_its_name() -> None:
    assert ordered(
        ToolCallDelta(0, "a"),
        ToolCallDelta(0, arguments="{"),
        ToolCallDelta(0, name="f"),
        ToolCallDelta(0),
        ToolCallDelta(0, arguments="}"),
    ) == [ToolCallDelta(0, "a", "f", "{"), ToolCallDelta(0, arguments="}")]
    assert ordered(ToolCallDelta(0, "a")) == [ToolCallDelta(0, "a", "unknown")]


def test_a_call_that_is_never_complete_holds_the_rest_until_the_end() -> None:
    order = DeltaOrder()
    assert order.feed(ToolCallDelta(0, "a", "f", '{"x')) == [ToolCallDelta(0, "a", "f", '{"x')]
    assert order.feed(TextDelta("1")) == []
    assert order.feed(ToolCallDelta(1, "b", "g", "{")) == []
    assert order.feed(TextDelta("2")) == []
    assert order.end() == [TextDelta("1"), ToolCallDelta(1, "b", "g", "{"), TextDelta("2")]

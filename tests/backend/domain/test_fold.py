"""The fold of a log: its message, text, sources and usage."""

from itertools import pairwise

import pytest
from hypothesis import given
from tests.backend.domain.samples import bodies, logs
from tests.backend.examples import examples

from cartrita.domain.events import (
    Event,
    ReasoningAppended,
    ReasoningSealed,
    RunStarted,
    SourceFound,
    TextAppended,
    ToolCalled,
    ToolReturned,
    UsageRecorded,
)
from cartrita.domain.fold import Fold, fold
from cartrita.domain.json import JsonValue
from cartrita.domain.messages import (
    Citation,
    Message,
    Reasoning,
    Role,
    Text,
    ToolCall,
    ToolResult,
)
from cartrita.domain.usage import Usage

STARTED = RunStarted("conv_1", "msg_1", "assistant", "m", "p")


def test_nothing_said_leaves_nothing() -> None:
    nothing = fold([STARTED])
    assert nothing.message is None
    assert nothing.parts == ()
    assert nothing.text == ""
    assert not nothing.seen
    assert nothing.usage == Usage()


def test_text_and_reasoning_are_joined_while_their_kind_lasts() -> None:
    said = fold(
        [
            STARTED,
            ReasoningAppended("hm"),
            ReasoningAppended("m"),
            TextAppended("Hel", 0),
            TextAppended("lo 😀", 3),
            ReasoningAppended("so"),
            TextAppended("!", 7),
        ]
    )
    assert said.parts == (Reasoning("hmm"), Text("Hello 😀"), Reasoning("so"), Text("!"))
    assert said.text == "Hello 😀!"
    assert said.length == len("Hello 😀!")
    assert said.message == Message(Role.ASSISTANT, said.parts)
    assert said.seen


@pytest.mark.parametrize(
    ("result", "text"),
    [
        ("a cat", "a cat"),
        ('"quoted"', '"quoted"'),
        ({"a": [1, None, "é"], "b": True}, '{"a":[1,null,"é"],"b":true}'),
        ([], "[]"),
        (None, "null"),
        (False, "false"),
        (1.5, "1.5"),
    ],
)
def test_a_result_that_is_no_text_becomes_json(result: JsonValue, text: str) -> None:
    assert fold([ToolReturned("c", "look", result, True)]).parts == (
        ToolResult("c", (Text(text),), "look"),
    )


def test_tools_end_the_text_before_them() -> None:
    said = fold(
        [
            TextAppended("Let me see.", 0),
            ToolCalled("c1", "look", {"at": 1}),
            ToolReturned("c1", "look", "a cat", True),
            ToolReturned("c2", "look", "nothing", False),
            TextAppended("A cat.", 11),
        ]
    )
    assert said.parts == (
        Text("Let me see."),
        ToolCall("c1", "look", {"at": 1}),
        ToolResult("c1", (Text("a cat"),), "look"),
        ToolResult("c2", (Text("nothing"),), "look", success=False),
        Text("A cat."),
    )


def test_a_source_does_not_cut_the_text_in_which_it_is_found() -> None:
    first, second = Citation("a"), Citation("b", index=2)
    said = fold(
        [TextAppended("x [1]", 0), SourceFound(first), TextAppended(" y", 5), SourceFound(second)]
    )
    assert [part for part in said.parts if isinstance(part, Text)] == [Text("x [1] y")]
    assert said.sources == (first, second)


def test_a_source_alone_is_something_to_keep() -> None:
    said = fold([SourceFound(Citation("a"))])
    assert said.seen
    assert said.message is not None


def test_usage_is_the_sum_of_the_calls() -> None:
    said = fold(
        [UsageRecorded(Usage(1, 2), 0.1), UsageRecorded(Usage(10, 20, estimated=True), 0.1)]
    )
    assert said.usage == Usage(11, 22, estimated=True)
    assert not said.seen
    assert said.message is None


@examples
@given(logs())
def test_text_is_what_was_appended_in_order(events: list[Event]) -> None:
    said = fold(events)
    appended = [event.text for event in events if isinstance(event, TextAppended)]
    assert said.text == "".join(appended)
    assert said.length == len(said.text)
    assert said.seen == (len(events) > 1)


@examples
@given(bodies())
def test_looking_does_not_change_it(events: list[Event]) -> None:
    """The answer is asked for its parts while it is still being written."""
    looked_at, left_alone = Fold(), Fold()
    for event in events:
        looked_at.add(event)
        left_alone.add(event)
        assert looked_at.parts == looked_at.parts
    assert looked_at.message == left_alone.message
    assert looked_at.usage == left_alone.usage


@examples
@given(bodies())
def test_neighbours_are_never_of_one_spoken_kind(events: list[Event]) -> None:
    parts = [p for p in fold(events).parts if not isinstance(p, Citation)]
    sealed = sum(isinstance(event, ReasoningSealed) for event in events)
    repeats = [left for left, right in pairwise(parts) if type(left) is type(right)]
    assert not any(isinstance(part, Text) for part in repeats)
    assert sum(isinstance(part, Reasoning) for part in repeats) <= sealed


def test_sealed_reasoning_is_a_block_of_its_own() -> None:
    said = fold(
        [
            ReasoningAppended("a"),
            ReasoningAppended("b"),
            ReasoningSealed(signature="s1", origin="anthropic_messages"),
            ReasoningSealed(encrypted="e", origin="anthropic_messages"),
            ReasoningAppended("c"),
            TextAppended("t", 0),
        ]
    )
    assert said.parts == (
        Reasoning("ab", signature="s1", origin="anthropic_messages"),
        Reasoning("", encrypted="e", origin="anthropic_messages"),
        Reasoning("c"),
        Text("t"),
    )

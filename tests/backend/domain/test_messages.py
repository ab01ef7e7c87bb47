"""Answers of several steps, as they are sent to models again."""

from cartrita.domain.events import Event, TextAppended, ToolCalled, ToolReturned
from cartrita.domain.fold import fold
from cartrita.domain.messages import (
    Message,
    Part,
    Reasoning,
    Role,
    Text,
    ToolCall,
    ToolResult,
    split_steps,
)

LOOK = ToolCall("c1", "look", {})
CAT = ToolResult("c1", (Text("a cat"),), "look")


def answer(*parts: Part) -> Message:
    return Message(Role.ASSISTANT, parts)


def test_plain_answers_are_one_message() -> None:
    whole = answer(Reasoning("hm"), Text("Hello."))
    assert split_steps(whole) == (whole,)
    assert split_steps(answer()) == ()


def test_results_follow_their_calls_and_what_was_said_then_follows_them() -> None:
    again = ToolCall("c2", "look", {"at": "it"})
    dog = ToolResult("c2", (Text("a dog"),), "look")
    steps = split_steps(answer(Text("I look."), LOOK, CAT, again, dog, Text("Both.")))
    assert steps == (
        answer(Text("I look."), LOOK),
        Message(Role.TOOL, (CAT,)),
        answer(again),
        Message(Role.TOOL, (dog,)),
        answer(Text("Both.")),
    )


def test_parallel_calls_stay_together() -> None:
    other = ToolCall("c2", "smell", {})
    rose = ToolResult("c2", (Text("a rose"),))
    assert split_steps(answer(LOOK, other, CAT, rose)) == (
        answer(LOOK, other),
        Message(Role.TOOL, (CAT, rose)),
    )


def test_a_call_without_a_result_is_left_out() -> None:
    assert split_steps(answer(Text("I look."), LOOK)) == (answer(Text("I look.")),)
    assert split_steps(answer(LOOK)) == ()


def test_a_folded_run_splits_into_what_happened() -> None:
    events: list[Event] = [
        TextAppended("I look.", 0),
        ToolCalled("c1", "look", {}),
        ToolReturned("c1", "look", "a cat", success=True),
        TextAppended(" A cat.", 7),
    ]
    folded = fold(events).message
    assert folded is not None
    assert split_steps(folded) == (
        answer(Text("I look."), LOOK),
        Message(Role.TOOL, (CAT,)),
        answer(Text(" A cat.")),
    )

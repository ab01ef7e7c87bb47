"""Answers of several steps, as they are sent to models again."""

from cartrita.domain.events import Event, TextAppended, ToolCalled, ToolReturned
from cartrita.domain.fold import fold
from cartrita.domain.message_steps import split_steps, without_tools
from cartrita.domain.messages import (
    Citation,
    Message,
    Part,
    Reasoning,
    Role,
    Text,
    ToolCall,
    ToolResult,
    VendorPart,
)

LOOK = ToolCall("c1", "look", {})
CAT = ToolResult("c1", (Text("a cat"),), "look")


def answer(*parts: Part) -> Message:
    return Message(Role.ASSISTANT, parts)


def test_plain_answers_are_one_message() -> None:
    whole = answer(Reasoning("hm"), Text("Hello."))
    assert split_steps([whole]) == (whole,)
    assert split_steps([answer()]) == ()


def test_results_follow_their_calls_and_what_was_said_then_follows_them() -> None:
    again = ToolCall("c2", "look", {"at": "it"})
    dog = ToolResult("c2", (Text("a dog"),), "look")
    steps = split_steps([answer(Text("I look."), LOOK, CAT, again, dog, Text("Both."))])
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
    assert split_steps([answer(LOOK, other, CAT, rose)]) == (
        answer(LOOK, other),
        Message(Role.TOOL, (CAT, rose)),
    )


def test_a_call_without_a_result_is_left_out() -> None:
    assert split_steps([answer(Text("I look."), LOOK)]) == (answer(Text("I look.")),)
    assert split_steps([answer(LOOK)]) == ()


def test_what_a_caller_brings_for_a_call_of_a_vendors_own_tool_stays() -> None:
    """Only the vendor knows what such a call is, and that it is answered."""
    click, screen = (
        VendorPart("v", {"type": kind, "call_id": "c9"}) for kind in ("click", "screen")
    )
    asks = answer(LOOK, click)
    brought = (Message(Role.TOOL, (CAT,)), Message(Role.TOOL, (screen,)))
    assert split_steps([asks, *brought, answer(Text("A cat."))]) == (
        asks,
        *brought,
        answer(Text("A cat.")),
    )


def test_a_folded_run_splits_into_what_happened() -> None:
    events: list[Event] = [
        TextAppended("I look.", 0),
        ToolCalled("c1", "look", {}),
        ToolReturned("c1", "look", "a cat", success=True),
        TextAppended(" A cat.", 7),
    ]
    folded = fold(events).message
    assert folded is not None
    assert split_steps([folded]) == (
        answer(Text("I look."), LOOK),
        Message(Role.TOOL, (CAT,)),
        answer(Text(" A cat.")),
    )


BOTH = (ToolCall("c1", "look", {}), ToolCall("c2", "smell", {}))
ROSE = ToolResult("c2", (Text("a rose"),))


def tool(*results: ToolResult) -> Message:
    return Message(Role.TOOL, results)


def user(text: str) -> Message:
    return Message(Role.USER, (Text(text),))


def test_a_callers_own_results_answer_the_calls_before_them() -> None:
    branch = [user("What?"), answer(Text("I look."), *BOTH), tool(CAT), tool(ROSE), user("And?")]
    assert split_steps(branch) == (branch[0], branch[1], tool(CAT, ROSE), branch[4])


def test_only_the_calls_that_somebody_answers_are_kept() -> None:
    branch = [user("What?"), answer(*BOTH), tool(ROSE), user("Stop."), tool(CAT)]
    assert split_steps(branch) == (branch[0], answer(BOTH[1]), tool(ROSE), branch[3])


def test_a_result_that_no_call_asked_for_is_left_out() -> None:
    assert split_steps([tool(CAT), user("What?")]) == (user("What?"),)
    assert split_steps([answer(LOOK), tool(CAT), tool(CAT)]) == (answer(LOOK), tool(CAT))


def test_results_of_parallel_calls_stay_together_whatever_is_found_between_them() -> None:
    source = Citation("A page")
    whole = answer(*BOTH, CAT, source, ROSE, Text("Both [1]."))
    assert split_steps([whole]) == (
        answer(*BOTH),
        tool(CAT, ROSE),
        answer(source, Text("Both [1].")),
    )
    assert split_steps([answer(*BOTH, CAT, source, ROSE)]) == (answer(*BOTH), tool(CAT, ROSE))


def test_a_runs_own_results_and_the_callers_answer_the_same_step() -> None:
    branch = [answer(*BOTH, CAT, Text("Now you.")), tool(ROSE)]
    assert split_steps(branch) == (answer(*BOTH), tool(CAT, ROSE), answer(Text("Now you.")))


def test_a_call_id_that_is_used_again_has_a_result_of_its_own() -> None:
    dog = ToolResult("c1", (Text("a dog"),), "look")
    again = ToolCall("c1", "look", {"at": "it"})
    assert split_steps([answer(LOOK, CAT, again, dog)]) == (
        answer(LOOK),
        tool(CAT),
        answer(again),
        tool(dog),
    )
    assert split_steps([answer(LOOK, CAT, again)]) == (answer(LOOK), tool(CAT))
    branch = [answer(LOOK), tool(CAT), answer(again), tool(dog)]
    assert split_steps(branch) == tuple(branch)


def test_reasoning_that_led_to_nothing_is_left_out() -> None:
    assert split_steps([answer(Reasoning("hm", "sig"), LOOK)]) == ()
    whole = answer(Reasoning("hm", "sig"), LOOK)
    assert split_steps([whole, tool(CAT)]) == (whole, tool(CAT))


def test_instructions_in_the_middle_stay_where_they_are() -> None:
    system = Message(Role.SYSTEM, (Text("Be brief."),))
    assert split_steps([user("What?"), system]) == (user("What?"), system)


def test_where_no_tools_are_offered_calls_and_results_are_text() -> None:
    question = Message(Role.USER, (Text("What is there?"),))
    branch = split_steps([question, answer(Text("I look."), LOOK, CAT, Text("A cat."))])
    assert without_tools(branch) == (
        question,
        answer(Text("I look."), Text("\n[Called look with {}]")),
        Message(Role.USER, (Text("[look returned: a cat]\n"),)),
        answer(Text("A cat.")),
    )

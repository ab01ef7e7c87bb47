"""Agents work in steps, until their model calls no tool or has to conclude."""

from typing import Any
from unittest.mock import create_autospec

import pytest
from tests.backend.agents.loop_fixture import CALLED, LoopFixture, asked, called, completed, said
from tests.backend.application.fakes import FakeMessageStore, stored_message, until

from cartrita.application.history.history import History
from cartrita.domain.caps import Caps
from cartrita.domain.deltas import FinishReason, TextDelta, ToolCallDelta
from cartrita.domain.errors import UpstreamCut, UpstreamRejected
from cartrita.domain.events import (
    RunStopped,
    TextAppended,
    ToolCalled,
    ToolReturned,
    UsageRecorded,
)
from cartrita.domain.messages import Message, Role, Text, ToolCall, ToolResult
from cartrita.domain.models import ModelProfile
from cartrita.domain.ports.desktop_use import DesktopUse
from cartrita.domain.runs import RunStatus
from cartrita.domain.step_records import ModelSaid, StepState, ToolSaid
from cartrita.domain.tools import ToolSpec
from cartrita.tools.computer import computer_tool


async def test_a_tool_is_called_and_its_result_is_sent_back() -> None:
    fixture = LoopFixture(
        called(("calculator", {"expression": "6*7"}), text="Let me see."), said("It is 42.")
    )
    claimed = asked()
    ending = await fixture.ending(claimed)
    assert fixture.kinds(claimed) == [
        TextAppended,
        ToolCalled,
        UsageRecorded,
        ToolReturned,
        TextAppended,
        UsageRecorded,
    ]
    first, second = fixture.provider.requests
    assert "calculator" in [one.name for one in first.functions]
    assert second.messages[-2].parts == (
        Text("Let me see."),
        ToolCall("c1", "calculator", {"expression": "6*7"}),
    )
    assert second.messages[-1].role is Role.TOOL
    assert second.messages[-1].parts == (ToolResult("c1", (Text("6*7 = 42"),), "calculator"),)
    assert second.messages[: len(first.messages)] == first.messages, "a stable beginning"
    done = completed(ending)
    assert (done.text, done.calls) == ("Let me see.\n\nIt is 42.", 2)
    assert done.finish_reason is FinishReason.STOP
    assert done.agents_used == ("supervisor",)
    assert done.agents[0].calls == 2
    assert done.usage.total_tokens == 15 + 7
    _, steps = fixture.recorded(claimed)
    assert [(one.place.text, one.state) for one in steps] == [
        ("1", StepState.DONE),
        ("1.1", StepState.DONE),
    ]
    assert isinstance(steps[0].output, ModelSaid)
    assert steps[1].output == ToolSaid("6*7 = 42")
    calls = [e for e in fixture.queue.events[claimed.run_id] if isinstance(e, ToolCalled)]
    assert all(one.own for one in calls)


@pytest.mark.parametrize(
    ("caps", "cap", "calls"),
    [
        (Caps(steps=2), "steps", 3),
        (Caps(tokens=15), "tokens", 2),
        (Caps(seconds=1e-9), "seconds", 2),
    ],
    ids=str,
)
async def test_a_cap_ends_the_work_with_a_conclusion(caps: Caps, cap: str, calls: int) -> None:
    step = called(("calculator", {"expression": "1"}))
    fixture = LoopFixture(step, step, step, said("Enough."))
    fixture.provider.scripts = (*[step] * (calls - 1), [TextDelta("Enough."), *step])
    claimed = asked(caps=caps)
    done = completed(await fixture.ending(claimed))
    assert (done.text, done.cap, done.finish_reason) == ("Enough.", cap, FinishReason.LENGTH)
    assert done.calls == calls
    last = fixture.provider.requests[-1]
    assert last.tool_choice == "none"
    assert last.tools, "the beginning stays, for the provider's cache"
    assert cap in last.messages[-1].text
    assert len(fixture.results(claimed)) == calls - 1, "what it calls all the same is not done"


async def test_the_tools_of_a_caller_end_the_run_beside_those_of_the_server() -> None:
    theirs = ToolSpec("look", "Look.", {"type": "object"})
    fixture = LoopFixture(called(("look", {}), ("calculator", {"expression": "2"})))
    claimed = asked(tools=(theirs,))
    ending = await fixture.ending(claimed)
    assert completed(ending).finish_reason is FinishReason.TOOL_CALL
    assert fixture.results(claimed) == [("c2", "2 = 2", True)]
    assert len(fixture.provider.requests) == 1
    assert ending.message is not None
    kinds = [type(part) for part in ending.message.parts]
    assert kinds == [ToolCall, ToolCall, ToolResult]


async def test_a_tool_of_a_caller_takes_the_place_of_one_of_the_server() -> None:
    theirs = ToolSpec("calculator", "Mine.", {"type": "object"})
    fixture = LoopFixture(called(("calculator", {"expression": "2"})))
    claimed = asked(tools=(theirs,))
    assert completed(await fixture.ending(claimed)).finish_reason is FinishReason.TOOL_CALL
    assert fixture.queue.steps == {}
    assert theirs in fixture.provider.requests[0].tools


async def test_what_had_to_be_called_is_called_once() -> None:
    fixture = LoopFixture(called(("calculator", {"expression": "2"})), said("2"))
    await fixture.ending(asked(tool_choice="required"))
    assert [one.tool_choice for one in fixture.provider.requests] == ["required", "auto"]


async def test_a_request_can_leave_out_tools() -> None:
    fixture = LoopFixture(said("alone"))
    await fixture.ending(asked(allowed_tools=()))
    assert fixture.provider.requests[0].tools == ()


async def test_a_later_step_that_breaks_off_keeps_what_was_done() -> None:
    step = called(("calculator", {"expression": "2"}))
    fixture = LoopFixture(step, [TextDelta("It i"), UpstreamCut("It broke.", provider="p")])
    claimed = asked()
    ending = await fixture.ending(claimed)
    assert ending.status is RunStatus.INTERRUPTED
    assert ending.message is not None
    assert [type(part) for part in ending.message.parts] == [ToolCall, ToolResult, Text]


async def test_a_call_without_a_name_ends_the_run_and_is_measured() -> None:
    broken: Any = [ToolCallDelta(0, "c1", None, "{}"), CALLED]
    fixture = LoopFixture(broken)
    claimed = asked()
    ending = await fixture.ending(claimed)
    assert ending.status is RunStatus.FAILED
    assert fixture.kinds(claimed) == [UsageRecorded]


async def test_a_model_that_takes_no_tools_is_offered_none() -> None:
    fixture = LoopFixture(said("alone"))
    blind = ModelProfile(known=True)
    fixture.work._gateway.profile = lambda _: blind  # type: ignore[method-assign]
    await fixture.ending(asked())
    (request,) = fixture.provider.requests
    assert request.tools == ()
    assert "delegate" not in request.instructions_text
    await until(lambda: not fixture.executor._active)


async def test_a_model_without_tools_reads_of_the_calls_of_earlier_turns() -> None:
    parts = (ToolCall("c0", "calculator", {}), ToolResult("c0", (Text("42"),)), Text("It is 42."))
    before = stored_message("", message=Message(Role.ASSISTANT, parts))
    store = FakeMessageStore(stored_message("Sure?"), before, stored_message("What is it?"))
    fixture = LoopFixture(said("Yes."))
    fixture.work._history = History(
        store,  # type: ignore[arg-type]
        messages=10,
        characters=1000,
    )
    await fixture.ending(asked(allowed_tools=()))
    (request,) = fixture.provider.requests
    kinds = {type(part) for message in request.messages for part in message.parts}
    assert kinds == {Text}
    assert any("42" in message.text for message in request.messages[1:3])


async def test_a_model_that_turns_out_to_take_no_tools_is_asked_without() -> None:
    refusal = UpstreamRejected("fake does not support tools", provider="p")
    fixture = LoopFixture([refusal], said("alone"))
    claimed = asked()
    assert completed(await fixture.ending(claimed)).text == "alone"
    assert [bool(one.tools) for one in fixture.provider.requests] == [True, False]
    fixture = LoopFixture([UpstreamRejected("too long", provider="p")], said("never"))
    assert (await fixture.ending(asked())).status is RunStatus.FAILED


async def test_where_it_was_to_use_a_desktop_it_is_not_asked_without() -> None:
    refusal = UpstreamRejected("fake does not support tools", provider="p")
    use = create_autospec(DesktopUse, instance=True)
    desktop = computer_tool(use, (1280, 800), timeout_s=1.0)
    fixture = LoopFixture([refusal], said("I have done it."), tools=(desktop,))
    ending = await fixture.ending(asked())
    assert isinstance(ending.event, RunStopped)
    assert (ending.status, ending.event.code) == (RunStatus.FAILED, "upstream_rejected")
    assert ending.event.message == "fake does not support tools"
    assert len(fixture.provider.requests) == 1

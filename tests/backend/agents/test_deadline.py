"""A cap on seconds ends what is being done: model calls, tools, and the tasks of other agents."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from tests.backend.agents.loop_fixture import (
    LoopFixture,
    asked,
    called,
    completed,
    quarter,
    said,
)
from tests.backend.application.fakes import DONE, until

from cartrita.domain.begun_work import STOPPED_RESULT
from cartrita.domain.caps import Caps
from cartrita.domain.deltas import FinishReason, ReasoningDelta, TextDelta
from cartrita.domain.events import Event, RunCompleted, TaskCompleted, ToolReturned, UsageRecorded
from cartrita.domain.fold import fold
from cartrita.domain.runs import Claim
from cartrita.domain.step_records import UNKNOWN_RESULT, StepState
from cartrita.tools.schema import tool
from cartrita.tools.tool import Risk, ToolContext, ToolOutput

CAP = Caps(seconds=5.0)


STOPPED = "It was stopped: the time of this answer is used up."


NOT_BEGUN = "It was not begun: the time of this answer is used up."


def pass_seconds(seconds: float) -> None:
    """Let so much time pass for the event loop, at once."""
    loop = asyncio.get_running_loop()
    before = loop.time
    loop.time = lambda: before() + seconds  # type: ignore[method-assign]


async def when(fixture: LoopFixture, claimed: Claim, waits: Callable[[], object]) -> RunCompleted:
    """The end of a run whose seconds are used up when it waits."""
    async with fixture.open():
        fixture.queue.put(claimed)
        await until(waits)
        pass_seconds(6)
        ending = await fixture.ended(claimed)
    return completed(ending)


def events_of(fixture: LoopFixture, claimed: Claim, kind: type[Event]) -> Sequence[Any]:
    return [event for event in fixture.queue.events[claimed.run_id] if isinstance(event, kind)]


class Waiting:
    """A tool that never ends."""

    def __init__(self) -> None:
        self.begun = 0
        self.ended = 0

    async def waits(self, _: ToolContext) -> ToolOutput:
        """Wait."""
        self.begun += 1
        try:
            await asyncio.Event().wait()
        finally:
            self.ended += 1
        return ToolOutput("never")


async def test_a_tool_is_stopped_and_the_model_concludes() -> None:
    hung = Waiting()
    step = called(("calculator", {"expression": "2"}), ("waits", {}))
    fixture = LoopFixture(step, said("Enough."), tools=(tool(hung.waits),))
    claimed = asked(caps=CAP)
    done = await when(fixture, claimed, lambda: hung.begun)
    assert (done.text, done.cap, done.finish_reason) == ("Enough.", "seconds", FinishReason.LENGTH)
    assert hung.ended
    assert fixture.results(claimed) == [("c1", "2 = 2", True), ("c2", STOPPED, False)]
    last = fixture.provider.requests[-1]
    assert last.tool_choice == "none"
    assert "seconds" in last.messages[-1].text


@pytest.mark.parametrize("parallel", [True, False])
async def test_a_tool_that_acts_is_unknown_and_the_next_is_not_begun(parallel: bool) -> None:
    first, second = Waiting(), Waiting()
    tools = (
        tool(first.waits, name="first", risk=Risk.ACT, parallel=parallel),
        tool(second.waits, name="second", risk=Risk.ACT, parallel=parallel),
    )
    limits = {"approval": "never", "tools": ["first", "second"], "limits": {"parallel": 1}}
    fixture = LoopFixture(
        called(("first", {}), ("second", {})),
        said("Enough."),
        tools=tools,
        overrides={"supervisor": limits},
    )
    claimed = asked(caps=CAP)
    assert (await when(fixture, claimed, lambda: first.begun)).cap == "seconds"
    assert fixture.results(claimed) == [("c1", UNKNOWN_RESULT, False), ("c2", NOT_BEGUN, False)]
    _, steps = fixture.recorded(claimed)
    states = {step.place.text: step.state for step in steps}
    assert (states["1.1"], states["1.2"]) == (StepState.UNKNOWN, StepState.DONE)
    assert not second.begun


async def test_what_a_model_says_is_the_answer_when_its_time_is_over() -> None:
    gate = asyncio.Event()
    fixture = LoopFixture([TextDelta("It is half"), gate, TextDelta(" done."), DONE], costs=quarter)
    claimed = asked(caps=CAP)
    done = await when(fixture, claimed, lambda: fixture.texts(claimed))
    assert (done.text, done.cap) == ("It is half", "seconds")
    assert done.finish_reason is FinishReason.LENGTH
    assert (done.calls, done.agents[0].cost) == (1, 0.25), "what was used of it is counted"
    assert not fixture.provider.open


@pytest.mark.parametrize("begins", [[], [ReasoningDelta("Hm")]], ids=["nothing", "reasoning"])
async def test_a_model_that_has_said_nothing_is_asked_to_conclude(begins: list[Any]) -> None:
    fixture = LoopFixture([*begins, asyncio.Event()], said("Enough."))
    claimed = asked(caps=CAP, allowed_tools=())
    done = await when(fixture, claimed, lambda: fixture.provider.open)
    assert (done.text, done.cap, done.calls) == ("Enough.", "seconds", 2)
    assert "seconds" in fixture.provider.requests[-1].messages[-1].text


async def test_a_conclusion_comes_to_an_end_too() -> None:
    hung = Waiting()
    conclusion: Any = [TextDelta("So far"), asyncio.Event()]
    fixture = LoopFixture(called(("waits", {})), conclusion, tools=(tool(hung.waits),))
    claimed = asked(caps=CAP)
    async with fixture.open():
        fixture.queue.put(claimed)
        await until(lambda: hung.begun)
        pass_seconds(6)
        await until(lambda: fixture.texts(claimed))
        for _ in range(2):  # less than what watches over this test
            pass_seconds(15)
        done = completed(await fixture.ended(claimed))
    assert (done.text, done.cap, done.calls) == ("So far", "seconds", 2)


async def test_tasks_are_stopped_with_their_tools_and_model_calls() -> None:
    hung = Waiting()
    work = {"instructions": "You work.", "tools": ["waits"]}
    fixture = LoopFixture(
        called(*[("delegate", {"agent": "worker", "task": "Wait."})] * 2),
        called(("waits", {}), first=7),
        [asyncio.Event()],
        said("Enough."),
        tools=(tool(hung.waits),),
        overrides={"worker": work, "supervisor": {"delegates": ["worker"], "tools": []}},
        costs=quarter,
    )
    claimed = asked(caps=CAP)
    done = await when(fixture, claimed, lambda: hung.begun and len(fixture.provider.requests) == 3)
    assert (done.text, done.cap, done.calls) == ("Enough.", "seconds", 4)
    assert [use.cost for use in done.agents] == [0.5, 0.5]
    ends = events_of(fixture, claimed, TaskCompleted)
    assert sorted((end.task_id, end.result) for end in ends) == [
        ("task_1_1", STOPPED_RESULT),
        ("task_1_2", STOPPED_RESULT),
    ]
    results = {end.call_id: end.result for end in events_of(fixture, claimed, ToolReturned)}
    assert results.pop("c7").startswith("It was stopped")
    assert results == {"c1": STOPPED, "c2": STOPPED}
    assert len(events_of(fixture, claimed, UsageRecorded)) == 4
    told = fixture.queue.endings[claimed.run_id].message
    assert told == fold(list(fixture.queue.events[claimed.run_id])).message


@pytest.mark.parametrize("when_known", ["stopped", "before"])
async def test_what_gave_a_task_is_told_that_it_may_have_acted(when_known: str) -> None:
    """Also where the agent of the task had read that already, and did not come to say it."""
    hung = Waiting()
    acting = tool(hung.waits, risk=Risk.ACT, timeout_s=600.0 if when_known == "stopped" else 2.0)
    work = {"instructions": "You work.", "tools": ["waits"], "approval": "never"}
    fixture = LoopFixture(
        called(("delegate", {"agent": "worker", "task": "Send it."})),
        called(("waits", {}), first=7),
        *([] if when_known == "stopped" else [[asyncio.Event()]]),
        said("Enough."),
        tools=(acting,),
        overrides={"worker": work, "supervisor": {"delegates": ["worker"], "tools": []}},
    )
    claimed = asked(caps=CAP)
    async with fixture.open():
        fixture.queue.put(claimed)
        await until(lambda: hung.begun)
        if when_known == "before":
            pass_seconds(3)
            await until(lambda: len(fixture.provider.requests) == 3)
        pass_seconds(6)
        done = completed(await fixture.ended(claimed))
    assert (done.text, done.cap) == ("Enough.", "seconds")
    told = f"{STOPPED}\n\nwaits: {UNKNOWN_RESULT}"
    assert fixture.results(claimed) == [("c7", UNKNOWN_RESULT, False), ("c1", told, False)]
    assert told in fixture.provider.requests[-1].messages[-2].parts[0].text  # type: ignore[union-attr]


async def test_a_call_that_is_stopped_with_its_task_has_its_end_recorded() -> None:
    """So that whoever ends the run after a crash does not tell of it again."""
    hung, gate = Waiting(), asyncio.Event()
    fixture = LoopFixture(
        [gate, *called(("delegate", {"agent": "worker", "task": "Send it."}))],
        called(("waits", {}), first=7),
        said("Enough."),
        tools=(tool(hung.waits, risk=Risk.ACT, timeout_s=600.0),),
        overrides={
            "worker": {"instructions": "You work.", "tools": ["waits"], "approval": "never"},
            "supervisor": {"delegates": ["worker"], "tools": []},
        },
    )
    claimed = asked(caps=CAP)
    async with fixture.open():
        fixture.queue.put(claimed)
        await until(lambda: fixture.provider.open)
        pass_seconds(3)
        gate.set()
        await until(lambda: hung.begun)
        pass_seconds(3)  # the seconds of the answer are used up, and those of the task are not
        completed(await fixture.ended(claimed))
    assert ("c7", UNKNOWN_RESULT, False) in fixture.results(claimed)
    _, steps = fixture.recorded(claimed)
    states = {step.place.text: step.state for step in steps}
    assert states["1.1.1.1"] is StepState.UNKNOWN


async def test_a_task_concludes_when_its_own_seconds_are_used_up() -> None:
    hung = Waiting()
    work = {
        "instructions": "You work.",
        "tools": ["waits"],
        "limits": {"caps": {"seconds": 5.0}},
    }
    fixture = LoopFixture(
        called(("delegate", {"agent": "worker", "task": "Wait."})),
        called(("waits", {})),
        said("I found nothing."),
        said("It found nothing."),
        tools=(tool(hung.waits),),
        overrides={"worker": work, "supervisor": {"delegates": ["worker"], "tools": []}},
    )
    claimed = asked()
    done = await when(fixture, claimed, lambda: hung.begun)
    assert (done.text, done.cap) == ("It found nothing.", None)
    (end,) = events_of(fixture, claimed, TaskCompleted)
    assert end.result.startswith("I found nothing.")
    assert "seconds is used up" in end.result

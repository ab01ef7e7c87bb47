"""What is stopped has an end, and nothing that acts is done twice."""

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace
from tests.backend.agents.acting_fixture import Acting, never_asking
from tests.backend.agents.loop_fixture import (
    LoopFixture,
    asked,
    called,
    said,
)
from tests.backend.application.fakes import until

from cartrita.domain.begun_work import STOPPED_RESULT
from cartrita.domain.events import (
    TaskCompleted,
    TaskStarted,
)
from cartrita.domain.fold import fold
from cartrita.domain.messages import ToolCall, ToolResult
from cartrita.domain.runs import CancelRequested, LeaseRevoked, RunStatus
from cartrita.domain.step_records import (
    UNKNOWN_RESULT,
    StepState,
    ToolBegun,
    ToolSaid,
)
from cartrita.tools.tool import Risk

STEP = called(("act", {"what": "a"}), ("calculator", {"expression": "1+1"}), text="I act.")


async def test_a_cancel_while_a_tool_acts_says_that_its_end_is_unknown() -> None:
    acting = Acting()
    acting.hold = asyncio.Event()
    fixture = never_asking(acting, STEP)
    claimed = asked()
    async with fixture.open():
        fixture.queue.put(claimed)
        await acting.begun.wait()
        fixture.queue.tell(CancelRequested(claimed.run_id))
        ending = await fixture.ended(claimed)
    assert ending.status is RunStatus.CANCELLED
    assert ("c1", UNKNOWN_RESULT, False) in fixture.results(claimed)
    last = {one.place.text: one for one in fixture.queue.steps[claimed.run_id]}["1.1"]
    assert (last.state, last.output) == (StepState.UNKNOWN, ToolSaid(UNKNOWN_RESULT, False))
    assert ending.message == fold(fixture.queue.events[claimed.run_id]).message


async def test_a_cancel_tells_whoever_gave_a_task_what_may_have_acted_in_it() -> None:
    acting = Acting()
    acting.hold = asyncio.Event()
    fixture = LoopFixture(
        called(("delegate", {"agent": "worker", "task": "Send it."})),
        called(("act", {"what": "a"}), first=7),
        tools=(acting.tool,),
        overrides={
            "worker": {"instructions": "You work.", "tools": ["act"], "approval": "never"},
            "supervisor": {"delegates": ["worker"], "tools": []},
        },
    )
    claimed = asked()
    async with fixture.open():
        fixture.queue.put(claimed)
        await acting.begun.wait()
        fixture.queue.tell(CancelRequested(claimed.run_id))
        ending = await fixture.ended(claimed)
    told = f"{STOPPED_RESULT}\n\nact: {UNKNOWN_RESULT}"
    assert fixture.results(claimed) == [("c7", UNKNOWN_RESULT, False), ("c1", told, False)]
    assert ending.message is not None
    assert ending.message.parts[-1].text == told  # type: ignore[union-attr]


async def test_a_cancel_before_a_run_goes_on_tells_how_all_ended() -> None:
    acting = Acting()
    whole = never_asking(acting, STEP, said("Done."))
    claimed = asked()
    await whole.ending(claimed)
    model, intent = whole.queue.steps[claimed.run_id][:2]
    task = TaskStarted("task_1_2", "c2", "analyst", "Look.")
    log = [*whole.queue.events[claimed.run_id][:4], task]
    again = never_asking(acting)
    ending = await again.resumed(replace(claimed, cancelled=True), log, [model, intent])
    assert ending.status is RunStatus.CANCELLED
    told = again.results(claimed)
    assert sorted(told) == [("c1", UNKNOWN_RESULT, False), ("c2", STOPPED_RESULT, False)]
    ends = [e.task_id for e in again.queue.events[claimed.run_id] if isinstance(e, TaskCompleted)]
    assert ends == ["task_1_2"]
    (end,) = again.queue.steps[claimed.run_id]
    assert (end.place, end.state) == (intent.place, StepState.UNKNOWN)


@pytest.mark.parametrize("committed", [StepState.INTENT, StepState.DONE])
async def test_a_cancel_during_a_commit_tells_one_result(committed: StepState) -> None:
    acting = Acting()
    fixture = never_asking(acting, called(("act", {"what": "a"})))
    claimed = asked()
    reached = asyncio.Event()

    async def commit(run_id: Any) -> None:
        records = fixture.queue.steps[run_id]
        if (records[-1].place.text, records[-1].state) == ("1.1", committed):
            reached.set()
            await asyncio.Event().wait()

    fixture.queue.commit = commit  # type: ignore[method-assign]
    async with fixture.open():
        fixture.queue.put(claimed)
        await reached.wait()
        fixture.queue.tell(CancelRequested(claimed.run_id))
        ending = await fixture.ended(claimed)
    did = ("c1", "did a", True)
    stopped = ("c1", STOPPED_RESULT, False)
    assert fixture.results(claimed) == [did if acting.done else stopped]
    assert bool(acting.done) is (committed is StepState.DONE)
    assert fixture.queue.steps[claimed.run_id][-1].state is committed
    assert ending.message is not None
    assert [type(part) for part in ending.message.parts] == [ToolCall, ToolResult]


async def test_a_deposed_replica_records_nothing_more() -> None:
    acting = Acting()
    acting.hold = asyncio.Event()
    fixture = never_asking(acting, STEP)
    claimed = asked()
    async with fixture.open():
        fixture.queue.put(claimed)
        await acting.begun.wait()
        fixture.queue.tell(LeaseRevoked())
        await until(lambda: not fixture.executor._active)
    last = {one.place.text: one for one in fixture.queue.steps[claimed.run_id]}["1.1"]
    assert last.state is StepState.INTENT
    assert last.output == ToolBegun("c1", "act")


async def test_a_drain_gives_back_a_run_between_its_steps() -> None:
    looking = Acting(Risk.READ)
    looking.hold = asyncio.Event()
    fixture = never_asking(looking, STEP)
    claimed = asked()
    async with fixture.open():
        fixture.queue.put(claimed)
        await looking.begun.wait()
        await fixture.executor.drain(0.01)
    assert fixture.queue.released == [claimed.run_id]
    assert fixture.queue.endings == {}

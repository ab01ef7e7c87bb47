"""Runs go on from what was recorded, and nothing that acts is done twice."""

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace
from tests.backend.application.fakes import until
from tests.backend.application.loop_fixture import LoopFixture, asked, called, said

from cartrita.domain.events import (
    RunCompleted,
    TaskCompleted,
    TaskStarted,
    TextAppended,
    ToolReturned,
)
from cartrita.domain.fold import fold
from cartrita.domain.messages import ToolCall, ToolResult
from cartrita.domain.runs import CancelRequested, Ending, LeaseRevoked, RunStatus
from cartrita.domain.step_places import StepPlace
from cartrita.domain.step_records import (
    UNKNOWN_RESULT,
    StepRecord,
    StepState,
    ToolBegun,
    ToolSaid,
)
from cartrita.domain.unfinished_work import STOPPED_RESULT
from cartrita.tools.schema import tool
from cartrita.tools.tool import Risk, Tool, ToolContext, ToolOutput

STEP = called(("act", {"what": "a"}), ("calculator", {"expression": "1+1"}), text="I act.")


class Acting:
    """A tool that acts, and counts how often."""

    def __init__(self, risk: Risk = Risk.ACT) -> None:
        self.done: list[str] = []
        self.hold: asyncio.Event | None = None
        self.begun = asyncio.Event()
        self.risk = risk

    @property
    def tool(self) -> Tool:
        async def act(context: ToolContext, what: str) -> ToolOutput:
            """Act."""
            self.done.append(context.idem_key)
            self.begun.set()
            if self.hold is not None:
                await self.hold.wait()
            return ToolOutput(f"did {what}")

        return tool(act, risk=self.risk)


def never_asking(acting: Acting, *scripts: Any, **work: Any) -> LoopFixture:
    return LoopFixture(
        *scripts,
        tools=(acting.tool,),
        overrides={"supervisor": {"approval": "never", "tools": ["calculator", "act"]}},
        **work,
    )


def completed(ending: Ending) -> RunCompleted:
    assert isinstance(ending.event, RunCompleted), ending.event
    return ending.event


@pytest.mark.parametrize("records", range(6))
async def test_a_run_goes_on_from_every_point_of_its_records(records: int) -> None:
    """As after a crash: the log and the records of the first so many transactions are there."""
    acting = Acting()
    whole = never_asking(acting, STEP, said("Done."))
    claimed = asked()
    await whole.ending(claimed)
    events, steps = whole.queue.events[claimed.run_id], whole.queue.steps[claimed.run_id]
    assert [(one.place.text, one.state) for one in steps][:2] == [
        ("1", StepState.DONE),
        ("1.1", StepState.INTENT),
    ]
    kept_steps = steps[:records]
    latest = {one.place.text: one for one in kept_steps}
    kept_events = _events_of(events, list(latest.values()))

    again = never_asking(acting, *([STEP] if records == 0 else []), said("Done."))
    before = len(acting.done)
    ending = await again.resumed(claimed, kept_events, latest.values())
    assert completed(ending).text == "I act.\n\nDone."
    unknown = "1.1" in latest and latest["1.1"].state is StepState.INTENT
    repeated = len(acting.done) - before
    assert repeated == (0 if "1.1" in latest else 1), "announced before it was done, and once"
    results = (
        {call: (result, ok) for call, result, ok in again.results(claimed)} if records < 5 else {}
    )
    assert (results.get("c1") == (UNKNOWN_RESULT, False)) is unknown
    log = [*kept_events, *again.queue.events[claimed.run_id]]
    assert ending.message == fold(log).message
    sent = again.provider.requests[-1].messages[-1].parts
    assert [part.call_id for part in sent] == ["c1", "c2"]  # type: ignore[union-attr]


def _events_of(events: list[Any], steps: list[Any]) -> list[Any]:
    """What the log holds with these records: a step's events come with it."""
    keys = {one.place.text for one in steps if one.state is StepState.DONE}
    if "1" not in keys:
        return []
    until_measured = 4 if isinstance(events[0], TextAppended) else 3
    kept = events[:until_measured]
    ended = {"1.1": "c1", "1.2": "c2"}
    calls = {ended[key] for key in keys if key in ended}
    return kept + [e for e in events if isinstance(e, ToolReturned) and e.call_id in calls]


async def test_a_tool_that_only_looks_may_look_again() -> None:
    looking = Acting(Risk.READ)
    fixture = never_asking(looking, STEP, said("Done."))
    claimed = asked()
    await fixture.ending(claimed)
    steps = [one for one in fixture.queue.steps[claimed.run_id] if one.place.text == "1"]
    again = never_asking(looking, said("Done."))
    await again.resumed(claimed, fixture.queue.events[claimed.run_id][:4], steps)
    assert len(looking.done) == 2
    assert looking.done[0] == looking.done[1], "with the same key"


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


async def test_an_approved_look_that_broke_off_is_made_again() -> None:
    looking = Acting(Risk.READ)
    fixture = never_asking(looking, said("Done."))
    whole = never_asking(looking, STEP, said("Done."))
    claimed = asked()
    await whole.ending(claimed)
    begun = StepRecord(
        place=StepPlace((1, 1)), state=StepState.INTENT, output=ToolBegun("c1", "act")
    )
    steps = [whole.queue.steps[claimed.run_id][0], begun]
    ending = await fixture.resumed(claimed, whole.queue.events[claimed.run_id][:4], steps)
    assert completed(ending).text == "I act.\n\nDone."
    assert ("c1", "did a", True) in fixture.results(claimed)
    assert len(looking.done) == 2


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


async def test_a_tool_that_acts_too_long_has_an_unknown_end() -> None:
    acting = Acting()
    acting.hold = asyncio.Event()
    slow = replace(acting.tool, timeout_s=0.01)
    fixture = LoopFixture(
        called(("act", {"what": "a"})),
        said("ok"),
        tools=(slow,),
        overrides={"supervisor": {"approval": "never", "tools": ["act"]}},
    )
    claimed = asked()
    await fixture.ending(claimed)
    assert fixture.results(claimed) == [("c1", UNKNOWN_RESULT, False)]
    assert fixture.queue.steps[claimed.run_id][-1].state is StepState.UNKNOWN


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

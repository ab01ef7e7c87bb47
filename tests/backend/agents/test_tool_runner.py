"""Tools run at once or in order, and go on from what was recorded of them."""

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace
from tests.backend.agents.acting_fixture import Acting, never_asking
from tests.backend.agents.loop_fixture import CALLED, LoopFixture, asked, called, completed, said

from cartrita.domain.begun_work import STOPPED_RESULT
from cartrita.domain.deltas import FinishReason, TextDelta, ToolCallDelta
from cartrita.domain.desktop_errors import ActionBrokeOff
from cartrita.domain.errors import Unavailable
from cartrita.domain.events import (
    RunStopped,
    TaskProgressed,
    TextAppended,
    ToolCalled,
    ToolReturned,
)
from cartrita.domain.fold import fold
from cartrita.domain.json import JsonObject
from cartrita.domain.messages import Text, ToolCall, ToolResult
from cartrita.domain.runs import CancelRequested, RunStatus
from cartrita.domain.step_places import StepPlace
from cartrita.domain.step_records import (
    UNKNOWN_RESULT,
    StepRecord,
    StepState,
    ToolBegun,
)
from cartrita.tools.schema import tool
from cartrita.tools.tool import Risk, Source, ToolContext, ToolOutput


async def test_tools_that_allow_it_run_at_once_and_others_in_order() -> None:
    order: list[str] = []
    both = asyncio.Event()

    async def first(_: ToolContext) -> ToolOutput:
        """Wait for the other."""
        await both.wait()
        order.append("first")
        return ToolOutput("1")

    async def second(_: ToolContext) -> ToolOutput:
        """Do not wait."""
        both.set()
        order.append("second")
        return ToolOutput("2")

    at_once = (tool(first), tool(second))
    fixture = LoopFixture(called(("first", {}), ("second", {})), said("done"), tools=at_once)
    claimed = asked()
    assert completed(await fixture.ending(claimed)).text == "done"
    assert order == ["second", "first"]
    sent = fixture.provider.requests[1].messages[-1].parts
    assert [part.call_id for part in sent if isinstance(part, ToolResult)] == ["c1", "c2"]

    order.clear()
    in_order = (tool(first, parallel=False), tool(second))
    fixture = LoopFixture(called(("second", {}), ("first", {})), said("done"), tools=in_order)
    await fixture.ending(asked())
    assert order == ["second", "first"]


async def test_what_goes_wrong_in_a_tool_is_its_result() -> None:
    async def raises(_: ToolContext) -> ToolOutput:
        """Raise."""
        raise ZeroDivisionError

    async def away(_: ToolContext) -> ToolOutput:
        """Be away."""
        raise Unavailable("The service is away.")

    async def hangs(_: ToolContext) -> ToolOutput:
        """Hang."""
        await asyncio.Event().wait()
        return ToolOutput("never")

    async def floods(_: ToolContext) -> ToolOutput:
        """Say too much, and what cannot be stored."""
        sources = tuple(Source("t" * 9000, f"https://{n}/" + "u" * 9000) for n in range(300))
        return ToolOutput("\x00" + "x" * 100_000, sources=sources)

    tools = (
        tool(raises),
        tool(away),
        tool(hangs, timeout_s=0.01),
        tool(floods, output_max_chars=50),
    )
    names = [(one.name, {}) for one in tools]
    wrong = [("calculator", {"expression": 1}), ("calculator", {"expression": "1/0"})]
    step: Any = called(*names, ("nothing", {}), *wrong)
    fixture = LoopFixture(step, said("I see."), tools=tools)
    claimed = asked()
    completed(await fixture.ending(claimed))
    told = {call: (result, success) for call, result, success in fixture.results(claimed)}
    assert told["c1"] == ("The tool failed inside the server.", False)
    assert told["c2"] == ("The service is away.", False)
    assert told["c3"] == ("It took longer than 0.01 s.", False)
    assert told["c4"][1]
    assert len(told["c4"][0]) <= 50
    assert "There is no tool nothing; there are: calculator, raises" in told["c5"][0]
    assert "Expected `str`, got `int`" in told["c6"][0]
    assert "divides by zero" in told["c7"][0]


async def test_a_call_whose_arguments_are_no_json_object_is_told_to_the_model() -> None:
    half = [TextDelta("Now."), ToolCallDelta(0, "c1", "calculator", '{"expression": "6*'), CALLED]
    fixture = LoopFixture(half, called(("calculator", {"expression": "6*7"})), said("42."))
    claimed = asked()
    assert completed(await fixture.ending(claimed)).finish_reason is FinishReason.STOP
    first, second = fixture.results(claimed)
    assert "no JSON object" in first[1]
    assert not first[2]
    assert second[1:] == ("6*7 = 42", True)
    written: JsonObject = {"INVALID_JSON": '{"expression": "6*'}
    call = ToolCall("c1", "calculator", written, malformed=True)
    sent = fixture.provider.requests[1].messages
    assert sent[-2].parts == (Text("Now."), call)
    assert sent[-1].parts == (ToolResult("c1", (Text(first[1]),), "calculator", False),)
    events, steps = fixture.recorded(claimed)
    assert ToolCalled("c1", "calculator", written, own=True, malformed=True) in events
    again = LoopFixture(said("42."))
    assert completed(await again.resumed(claimed, events[:6], steps[:2])).text == "Now.\n\n42."


async def test_a_model_that_calls_no_tool_rightly_is_given_up() -> None:
    half = [ToolCallDelta(0, "c1", "calculator", "{"), CALLED]
    fixture = LoopFixture(half, half, half, said("Never asked."))
    claimed = asked()
    ending = await fixture.ending(claimed)
    assert isinstance(ending.event, RunStopped)
    assert ending.event.code == "upstream_malformed"
    assert len(fixture.results(claimed)) == 3


async def test_progress_of_a_tool_is_told() -> None:
    async def slow(context: ToolContext) -> ToolOutput:
        """Tell."""
        await context.progress("half of it", 0.5)
        assert context.principal.owner_id == "ann"
        assert context.idem_key.endswith(":1.1")
        return ToolOutput("done")

    fixture = LoopFixture(called(("slow", {})), said("ok"), tools=(tool(slow),))
    claimed = asked()
    await fixture.ending(claimed)
    assert TaskProgressed("c1", "half of it", 0.5) in fixture.queue.events[claimed.run_id]
    assert fixture.results(claimed) == [("c1", "done", True)]


async def test_a_cancel_ends_a_tool_at_once() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def waits(_: ToolContext) -> ToolOutput:
        """Wait."""
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return ToolOutput("never")

    fixture = LoopFixture(
        called(("waits", {})), said("never"), tools=(tool(waits, risk=Risk.READ),)
    )
    claimed = asked()
    async with fixture.open():
        fixture.queue.put(claimed)
        await begun.wait()
        fixture.queue.tell(CancelRequested(claimed.run_id))
        ending = await fixture.ended(claimed)
    assert ended.is_set()
    assert ending.status is RunStatus.CANCELLED
    assert fixture.results(claimed) == [("c1", STOPPED_RESULT, False)]


STEP = called(("act", {"what": "a"}), ("calculator", {"expression": "1+1"}), text="I act.")


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


async def test_an_approved_look_that_broke_off_is_made_again() -> None:
    looking = Acting(Risk.READ)
    fixture = never_asking(looking, said("Done."))
    whole = never_asking(looking, STEP, said("Done."))
    claimed = asked()
    await whole.ending(claimed)
    begun = StepRecord(
        place=StepPlace((1, 1)), state=StepState.INTENT, output=ToolBegun("c1", "act", acts=False)
    )
    steps = [whole.queue.steps[claimed.run_id][0], begun]
    ending = await fixture.resumed(claimed, whole.queue.events[claimed.run_id][:4], steps)
    assert completed(ending).text == "I act.\n\nDone."
    assert ("c1", "did a", True) in fixture.results(claimed)
    assert len(looking.done) == 2


@pytest.mark.parametrize(("then", "now"), [(True, Risk.READ), (False, Risk.ACT)])
async def test_what_acted_when_it_was_begun_or_would_act_now_is_not_made_again(
    then: bool, now: Risk
) -> None:
    whole, acting = never_asking(Acting(), STEP, said("Done.")), Acting(now)
    claimed = asked()
    await whole.ending(claimed)
    begun = StepRecord(
        place=StepPlace((1, 1)), state=StepState.INTENT, output=ToolBegun("c1", "act", acts=then)
    )
    steps = [whole.queue.steps[claimed.run_id][0], begun]
    again = never_asking(acting, said("Done."))
    await again.resumed(claimed, whole.queue.events[claimed.run_id][:4], steps)
    assert ("c1", UNKNOWN_RESULT, False) in again.results(claimed)
    assert acting.done == []


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


async def test_a_tool_that_acts_and_fails_inside_the_server_has_an_unknown_end() -> None:
    async def breaks(_: ToolContext) -> ToolOutput:
        """Act, and break."""
        raise ZeroDivisionError

    overrides = {"supervisor": {"approval": "never", "tools": ["breaks"]}}
    fixture = LoopFixture(
        called(("breaks", {})),
        said("ok"),
        tools=(tool(breaks, risk=Risk.ACT),),
        overrides=overrides,
    )
    claimed = asked()
    await fixture.ending(claimed)
    told = f"The tool failed inside the server. {UNKNOWN_RESULT}"
    assert fixture.results(claimed) == [("c1", told, False)]
    assert fixture.queue.steps[claimed.run_id][-1].state is StepState.UNKNOWN


async def test_what_a_tool_says_may_be_done_has_an_unknown_end() -> None:
    async def breaks(_: ToolContext, __: JsonObject) -> ToolOutput:
        raise ActionBrokeOff("It ended meanwhile.")

    fixture = LoopFixture(
        called(("act", {"what": "a"})),
        said("ok"),
        tools=(replace(Acting().tool, run=breaks),),
        overrides={"supervisor": {"approval": "never", "tools": ["act"]}},
    )
    claimed = asked()
    await fixture.ending(claimed)
    [(_, told, success)] = fixture.results(claimed)
    assert (told, success) == (f"It ended meanwhile. {UNKNOWN_RESULT}", False)
    assert fixture.queue.steps[claimed.run_id][-1].state is StepState.UNKNOWN

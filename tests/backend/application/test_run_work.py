"""Agents work in steps: tools at once or in order, caps, failures, and what is told of them."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from tests.backend.application.fakes import DONE, FakeMessageStore, claim, stored_message, until
from tests.backend.application.loop_fixture import CALLED, LoopFixture, asked, called, said

from cartrita.agents.agent import NO_AGENT
from cartrita.application.history import History
from cartrita.domain.caps import Caps
from cartrita.domain.deltas import CitationDelta, FinishReason, TextDelta, ToolCallDelta
from cartrita.domain.errors import Unavailable, UpstreamCut, UpstreamRejected
from cartrita.domain.events import (
    RunCompleted,
    RunStopped,
    SourceFound,
    TaskProgressed,
    TextAppended,
    ToolCalled,
    ToolReturned,
    UsageRecorded,
)
from cartrita.domain.json import JsonObject
from cartrita.domain.messages import Citation, Message, Role, Text, ToolCall, ToolResult
from cartrita.domain.models import ModelProfile
from cartrita.domain.runs import CancelRequested, Ending, RunInput, RunStatus
from cartrita.domain.step_records import ModelSaid, StepState, ToolSaid
from cartrita.domain.tools import ToolSpec
from cartrita.domain.unfinished_work import STOPPED_RESULT
from cartrita.domain.usage import Usage
from cartrita.tools.schema import tool
from cartrita.tools.tool import Risk, Source, Tool, ToolContext, ToolOutput
from cartrita.tools.toolbox import Toolbox


def completed(ending: Ending) -> RunCompleted:
    assert isinstance(ending.event, RunCompleted), ending.event
    return ending.event


class Garden:
    """Tools of a server; how often they were waited for."""

    prefix = "garden__"

    def __init__(self) -> None:
        self.asked = 0

    async def tools(self) -> list[Tool]:
        self.asked += 1
        return []


@pytest.mark.parametrize(
    ("agent", "named_by", "waits"),
    [
        ("supervisor", "supervisor", True),
        ("supervisor", "researcher", True),
        ("supervisor", None, False),
        ("writer", "researcher", False),
        (NO_AGENT.id, "supervisor", False),
    ],
)
async def test_a_run_waits_for_servers_that_its_team_names(
    agent: str, named_by: str | None, *, waits: bool
) -> None:
    overrides = {} if named_by is None else {named_by: {"tools": ["garden__*"]}}
    fixture = LoopFixture(said("Hello."), overrides=overrides)
    garden = Garden()
    fixture.work._tools = Toolbox((), (garden,))
    ending = await fixture.ending(claim(input=RunInput(agent=agent, provider="p", model="m")))
    assert completed(ending).finish_reason is FinishReason.STOP
    assert bool(garden.asked) is waits


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


async def test_sources_are_numbered_once_for_the_whole_run() -> None:
    async def find(_: ToolContext, what: str) -> ToolOutput:
        """Find."""
        return ToolOutput(what, sources=(Source(what, f"https://{what}"), Source("b", "https://b")))

    fixture = LoopFixture(
        called(("find", {"what": "a"}), ("find", {"what": "c"})),
        said("A [1]."),
        tools=(tool(find),),
    )
    claimed = asked()
    done = completed(await fixture.ending(claimed))
    assert done.sources == (
        Citation("a", "https://a", None, 1),
        Citation("b", "https://b", None, 2),
        Citation("c", "https://c", None, 3),
    )
    results = [result for _, result, _ in fixture.results(claimed)]
    assert results[0] == "a\n\nSources:\n[1] a https://a\n[2] b https://b"
    assert results[1] == "c\n\nSources:\n[3] c https://c\n[2] b https://b"
    found = [e for e in fixture.queue.events[claimed.run_id] if isinstance(e, SourceFound)]
    assert len(found) == 3


async def test_what_a_provider_cites_has_a_number_of_its_own() -> None:
    async def find(_: ToolContext) -> ToolOutput:
        """Find."""
        return ToolOutput("a", sources=(Source("a", "https://a"),))

    def cited(title: str) -> CitationDelta:
        return CitationDelta(Citation(title, f"https://{title}"))

    fixture = LoopFixture(
        [cited("page"), *called(("find", {}))],
        [TextDelta("A."), cited("other"), cited("page"), DONE],
        tools=(tool(find),),
    )
    done = completed(await fixture.ending(asked()))
    numbers = [(source.title, source.index) for source in done.sources]
    assert numbers == [("page", 1), ("a", 2), ("other", 3), ("page", 1)]


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


def quarter(_provider: str, _model: str, _usage: Usage) -> Decimal:
    return Decimal("0.25")


async def test_a_cap_on_money_counts_what_is_known() -> None:
    step = called(("calculator", {"expression": "1"}))
    fixture = LoopFixture(step, step, said("Enough."), cost=quarter)
    done = completed(await fixture.ending(asked(caps=Caps(cost=0.4))))
    assert (done.cap, done.calls, done.agents[0].cost) == ("cost", 3, 0.75)


async def spends(context: ToolContext) -> ToolOutput:
    """Spend."""
    context.spending.tell(Decimal("0.25"))
    context.spending.tell(Decimal("0.125"))
    return ToolOutput("spent")


async def test_a_cap_on_money_counts_what_tools_spend() -> None:
    step = called(("spends", {}))
    fixture = LoopFixture(step, step, said("Enough."), tools=(tool(spends),))
    claimed = asked(caps=Caps(cost=0.7))
    done = completed(await fixture.ending(claimed))
    assert (done.cap, done.calls) == ("cost", 3)
    assert done.agents[0].cost is None, "of models, whose prices are not known"
    events, steps = fixture.recorded(claimed)
    returned = [event.cost for event in events if isinstance(event, ToolReturned)]
    assert returned == [0.375, 0.375]
    again = LoopFixture(said("Enough."), tools=(tool(spends),))
    resumed = completed(await again.resumed(claimed, events[:-2], steps))
    assert (resumed.cap, resumed.calls) == ("cost", 3), "what was spent before a crash counts"


async def test_the_money_of_a_task_counts_what_its_tools_spend() -> None:
    caps = {"caps": {"cost": 0.3}}
    work = {"instructions": "You work.", "tools": ["spends"], "limits": caps}
    fixture = LoopFixture(
        called(("delegate", {"agent": "worker", "task": "Spend."})),
        called(("spends", {})),
        said("I spent it."),
        said("Well."),
        tools=(tool(spends),),
        overrides={"worker": work, "supervisor": {"delegates": ["worker"], "tools": []}},
    )
    claimed = asked()
    assert completed(await fixture.ending(claimed)).cap is None
    assert "of cost is used up" in fixture.results(claimed)[-1][1]


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
    await fixture.ending(asked(own_tools=()))
    assert fixture.provider.requests[0].tools == ()


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
    await fixture.ending(asked(own_tools=()))
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

"""The supervisor gives tasks to other agents, side by side, and answers from what they found."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from tests.backend.agents.loop_fixture import (
    LoopFixture,
    asked,
    called,
    completed,
    said,
)
from tests.backend.application.fakes import until

from cartrita.application.runs.active_runs import StopReason
from cartrita.domain.caps import Caps
from cartrita.domain.deltas import TextDelta
from cartrita.domain.errors import UpstreamCut
from cartrita.domain.events import (
    TaskCompleted,
    TaskStarted,
    TextAppended,
    ToolCalled,
    ToolReturned,
    UsageRecorded,
)
from cartrita.domain.fold import fold
from cartrita.domain.messages import ToolCall, ToolResult
from cartrita.domain.replays import Replay
from cartrita.domain.requests import ModelRequest
from cartrita.domain.runs import CancelRequested
from cartrita.domain.token_classes import Costs
from cartrita.domain.usage import Usage

TWO = (
    ("delegate", {"agent": "analyst", "task": "Calculate 6*7."}),
    ("delegate", {"agent": "writer", "task": "Write a line."}),
)


class Team(LoopFixture):
    """A team whose models answer by who is asked: the first words of the instructions tell."""

    def __init__(self, answers: dict[str, list[Any]], **options: Any) -> None:
        super().__init__(said("unused"), **options)
        self.answers = answers
        self.asked: list[tuple[str, ModelRequest]] = []
        provider = self.provider
        given = provider.stream

        def stream(request: ModelRequest) -> Any:
            text = request.instructions_text
            names = [name for name in answers if f"You are Cartrita's {name}" in text]
            name = names[0] if names else "supervisor"
            self.asked.append((name, request))
            provider.scripts = (self.answers[name].pop(0),)
            return given(request)

        provider.stream = stream  # type: ignore[method-assign]

    def requests(self, name: str) -> list[ModelRequest]:
        return [request for asked, request in self.asked if asked == name]


def half_a_dollar(_provider: str, _model: str, _usage: Usage, _tenant: str) -> Costs:
    return {"input": Decimal("0.5")}


async def test_two_tasks_in_one_step() -> None:
    team = Team(
        {
            "supervisor": [called(*TWO, text="I ask."), said("42, in a line.")],
            "analyst": [called(("calculator", {"expression": "6*7"}), first=7), said("42")],
            "writer": [said("A line.")],
        },
        costs=half_a_dollar,
    )
    claimed = asked()
    ending = await team.ending(claimed)
    done = completed(ending)
    assert done.text == "I ask.\n\n42, in a line."
    assert done.agents_used[0] == "supervisor"
    assert set(done.agents_used) == {"supervisor", "analyst", "writer"}
    uses = {use.agent: (use.calls, use.cost) for use in done.agents}
    assert uses == {"supervisor": (2, 1.0), "analyst": (2, 1.0), "writer": (1, 0.5)}
    assert done.calls == 5
    (first, second) = team.requests("supervisor")
    assert "delegate" in [one.name for one in first.functions]
    assert "give tasks to other agents" in first.instructions_text
    (delegate,) = [one for one in first.functions if one.name == "delegate"]
    assert "- analyst: " in (delegate.description or "")
    assert "computer_use" not in (delegate.description or ""), "it has no tool here"
    results = [part for part in second.messages[-1].parts if isinstance(part, ToolResult)]
    assert [(part.call_id, part.text) for part in results] == [("c1", "42"), ("c2", "A line.")]
    (task,) = team.requests("writer")
    assert [message.text for message in task.messages] == ["Write a line."]
    assert task.tools == ()
    events = team.queue.events[claimed.run_id]
    started = [(e.task_id, e.call_id, e.agent) for e in events if isinstance(e, TaskStarted)]
    assert started == [("task_1_1", "c1", "analyst"), ("task_1_2", "c2", "writer")]
    ended = {e.task_id: (e.result, e.success) for e in events if isinstance(e, TaskCompleted)}
    assert ended == {"task_1_1": ("42", True), "task_1_2": ("A line.", True)}
    of_tasks = [e for e in events if isinstance(e, ToolCalled | ToolReturned) and e.task_id]
    assert len(of_tasks) == 2
    assert sum(isinstance(e, UsageRecorded) for e in events) == 5


async def test_what_is_done_for_a_task_is_no_part_of_the_answer() -> None:
    team = Team(
        {
            "supervisor": [called(TWO[0]), said("42")],
            "analyst": [called(("calculator", {"expression": "6*7"})), said("42")],
        }
    )
    claimed = asked()
    ending = await team.ending(claimed)
    assert ending.message is not None
    kinds = [type(part) for part in ending.message.parts]
    assert kinds[:2] == [ToolCall, ToolResult]
    events = team.queue.events[claimed.run_id]
    assert ending.message == fold(events).message
    replay = Replay()
    deltas = [delta for event in events for delta in replay.deltas_of(event)]
    assert deltas == [TextDelta("42")], "clients of a model see nothing of the team"
    texts = [event.text for event in events if isinstance(event, TextAppended)]
    assert texts == ["42"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"agent": "nobody", "task": "x"}, "must be one of researcher"),
        ({"agent": "supervisor", "task": "x"}, "must be one of researcher"),
        ({"agent": "writer", "task": " "}, "1 to 20000 characters"),
        ({"agent": "writer"}, "1 to 20000 characters"),
    ],
)
async def test_a_task_that_cannot_be_given(arguments: Any, told: str) -> None:
    team = Team({"supervisor": [called(("delegate", arguments)), said("ok")]})
    claimed = asked()
    await team.ending(claimed)
    ((_, result, success),) = team.results(claimed)
    assert told in result
    assert not success


async def test_an_agent_that_fails_is_a_result() -> None:
    broken = [UpstreamCut("It broke.", provider="p")]
    team = Team({"supervisor": [called(TWO[1]), said("Sorry.")], "writer": [broken]})
    claimed = asked()
    done = completed(await team.ending(claimed))
    assert done.text == "Sorry."
    ((_, result, success),) = team.results(claimed)
    assert (result, success) == ("The agent failed: It broke.", False)


async def test_a_task_that_fails_inside_the_server_has_an_end() -> None:
    broken: Any = [ValueError("a mistake")]
    team = Team({"supervisor": [called(TWO[1]), said("Sorry.")], "writer": [broken]})
    claimed = asked()
    assert completed(await team.ending(claimed)).text == "Sorry."
    ((_, result, success),) = team.results(claimed)
    assert (result, success) == ("The tool failed inside the server.", False)
    ends = [e for e in team.queue.events[claimed.run_id] if isinstance(e, TaskCompleted)]
    assert [(end.task_id, end.success) for end in ends] == [("task_1_1", False)]


async def test_an_agent_that_delegates_to_itself_for_ever_is_stopped() -> None:
    again = called(("delegate", {"agent": "loop", "task": "again"}))
    overrides = {
        "loop": {"instructions": "You are Cartrita's loop.", "delegates": ["loop"]},
        "supervisor": {"delegates": ["loop"]},
    }
    team = Team({"supervisor": [again, said("Enough.")], "loop": [again] * 9}, overrides=overrides)
    team.answers["loop"] = [again, again, said("deep"), said("less"), said("least")]
    claimed = asked()
    assert completed(await team.ending(claimed)).text == "Enough."
    deepest = [one for one in team.requests("loop") if not one.functions]
    assert len(deepest) == 1, "at the third depth there is nobody to delegate to"


async def test_tasks_are_counted() -> None:
    overrides = {"supervisor": {"limits": {"delegations": 1}}}
    team = Team(
        {"supervisor": [called(*TWO), said("ok")], "analyst": [said("42")], "writer": []},
        overrides=overrides,
    )
    claimed = asked()
    await team.ending(claimed)
    assert (
        "used up its 1 tasks" in team.results(claimed)[-1][1]
        or "used up its 1 tasks" in (team.results(claimed)[0][1])
    )


async def test_a_task_goes_on_where_it_was_after_a_crash() -> None:
    gate = asyncio.Event()
    team = Team(
        {
            "supervisor": [called(TWO[0])],
            "analyst": [called(("calculator", {"expression": "6*7"})), [gate]],
        }
    )
    claimed = asked()
    async with team.open():
        team.queue.put(claimed)
        await until(lambda: len(team.requests("analyst")) == 2)
        events, steps = team.recorded(claimed)
        team.executor._stop_all(StopReason.SHUTDOWN)
        await until(lambda: not team.executor._active)
    again = Team({"supervisor": [said("It is 42.")], "analyst": [said("42")]})
    ending = await again.resumed(claimed, events, steps)
    assert completed(ending).text == "It is 42."
    assert len(again.requests("analyst")) == 1, "the step that was done is not done again"
    sent = again.requests("analyst")[0].messages[-1].parts
    assert [part.text for part in sent if isinstance(part, ToolResult)] == ["6*7 = 42"]
    new = again.queue.events[claimed.run_id]
    assert not any(isinstance(event, TaskStarted) for event in new), "it was told before"
    assert completed(ending).agents_used == ("supervisor", "analyst")


async def test_a_cancel_ends_tasks_and_their_calls() -> None:
    gate = asyncio.Event()
    team = Team(
        {
            "supervisor": [called(*TWO)],
            "analyst": [called(("calculator", {"expression": "6*7"}), first=7), [gate]],
            "writer": [[gate]],
        }
    )
    claimed = asked()
    async with team.open():
        team.queue.put(claimed)
        await until(lambda: len(team.requests("analyst")) == 2 and team.requests("writer"))
        team.queue.tell(CancelRequested(claimed.run_id))
        ending = await team.ended(claimed)
    ends = [
        (event.task_id, event.success) if isinstance(event, TaskCompleted) else event.call_id
        for event in team.queue.events[claimed.run_id]
        if isinstance(event, TaskCompleted | ToolReturned)
    ]
    tasks = [("task_1_2", False), ("task_1_1", False)]
    assert ends[0] == "c7"
    assert sorted(ends[1:3]) == sorted(tasks)  # type: ignore[type-var]
    assert ends[3:] == ["c2", "c1"]
    assert ending.message == fold(team.queue.events[claimed.run_id]).message


async def test_tasks_at_once_keep_the_cap_on_steps() -> None:
    calls = [("delegate", {"agent": "writer", "task": f"Line {n}."}) for n in range(8)]
    team = Team({"supervisor": [called(*calls), said("End.")], "writer": [said("A line.")] * 8})
    claimed = asked(caps=Caps(steps=2))
    done = completed(await team.ending(claimed))
    assert (done.calls, done.cap) == (3, "steps"), "the third concludes"
    refused = [result for _, result, success in team.results(claimed) if not success]
    assert len(refused) == 7
    assert all("of steps is used up" in result for result in refused)


async def test_the_money_of_the_answering_agent_pays_for_its_tasks() -> None:
    team = Team(
        {"supervisor": [called(TWO[1]), said("End.")], "writer": [said("A line.")]},
        costs=half_a_dollar,
        overrides={"supervisor": {"limits": {"caps": {"cost": 1.0}}}},
    )
    done = completed(await team.ending(asked()))
    assert (done.calls, done.cap) == (3, "cost")


async def test_a_task_for_which_there_is_no_model_uses_no_step(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    steps = [called(TWO[1]), called(("calculator", {"expression": "6*7"}), first=2), said("42.")]
    team = Team({"supervisor": steps})

    async def nobody(*_: object) -> None:
        raise UpstreamCut("Nobody serves it.", provider="p")

    monkeypatch.setattr(team.work, "_model_of", nobody)
    claimed = asked(caps=Caps(steps=3))
    done = completed(await team.ending(claimed))
    assert (done.calls, done.cap) == (3, None)
    assert team.results(claimed)[0] == ("c1", "The agent failed: Nobody serves it.", False)

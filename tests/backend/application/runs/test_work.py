"""The work of a run waits for the tools that its team names, and tells them of its end."""

import asyncio
from types import SimpleNamespace

import pytest
from msgspec.structs import replace
from tests.backend.agents.acting_fixture import Acting
from tests.backend.agents.loop_fixture import LoopFixture, asked, called, completed, said
from tests.backend.agents.test_tool_runner_approvals import suspended
from tests.backend.application.fakes import claim, until
from tests.backend.scripted_provider import Script

from cartrita.agents.agent import NO_AGENT
from cartrita.application.runs import work
from cartrita.domain.deltas import FinishReason
from cartrita.domain.errors import NotFound, Unavailable, UpstreamCut
from cartrita.domain.ids import ConversationId, RunId
from cartrita.domain.runs import LeaseRevoked, RunInput
from cartrita.tools.tool import Tool
from cartrita.tools.toolbox import Toolbox


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


class Told:
    """Acts where nobody is asked, and notes of which runs it was told that they are over."""

    def __init__(self, *scripts: Script, approval: str = "never") -> None:
        self.acting = Acting()
        self.runs: list[tuple[ConversationId, RunId]] = []

        async def note(conversation_id: ConversationId, run_id: RunId) -> None:
            self.runs.append((conversation_id, run_id))

        self.fixture = LoopFixture(
            *scripts,
            tools=(replace(self.acting.tool, over=note),),
            overrides={"supervisor": {"approval": approval, "tools": ["act"]}},
        )


ACT = called(("act", {"what": "a"}))
CUT: Script = [UpstreamCut("It broke.", provider="p")]


@pytest.mark.parametrize("end", [said("Hello."), CUT])
async def test_a_tool_is_told_of_the_end_of_a_run_that_has_called_it(end: Script) -> None:
    told, claimed = Told(ACT, end), asked()
    await told.fixture.ending(claimed)
    assert told.runs == [(claimed.conversation_id, claimed.run_id)]


async def test_a_tool_that_was_not_called_is_told_nothing() -> None:
    told = Told(said("Hello."))
    await told.fixture.ending(asked())
    assert told.runs == []


async def test_a_run_that_waits_for_a_person_is_not_over() -> None:
    told = Told(ACT, approval="risky")
    await suspended(told.fixture, asked())
    assert told.runs == []


async def test_a_tool_called_before_a_crash_is_told_of_the_end() -> None:
    crashed, claimed = Told(ACT, CUT), asked()
    await crashed.fixture.ending(claimed)
    again = Told(said("Hello."))
    await again.fixture.resumed(claimed, *crashed.fixture.recorded(claimed))
    assert again.runs == [(claimed.conversation_id, claimed.run_id)]


@pytest.mark.parametrize(
    "why", ["its key has ended", "it has no history", "it cannot be stored", "it was cancelled"]
)
async def test_a_tool_called_before_a_run_waited_is_told_where_its_work_cannot_go_on(
    why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    crashed, claimed = Told(ACT, CUT), asked(key_id="key")
    await crashed.fixture.ending(claimed)
    again = Told(said("Hello."))

    async def no_key(*_: object) -> None:
        return None

    async def no_history(*_: object) -> None:
        raise NotFound("It was deleted.")

    def not_stored(*_: object) -> None:
        raise Unavailable("There is no room.")

    if why == "its key has ended":
        monkeypatch.setattr(again.fixture.work, "_keys", SimpleNamespace(active=no_key))
    elif why == "it has no history":
        monkeypatch.setattr(again.fixture.work._history, "build_request", no_history)
    elif why == "it cannot be stored":
        monkeypatch.setattr(again.fixture.work._writer, "require", not_stored)
    claimed = replace(claimed, cancelled=why == "it was cancelled")
    await again.fixture.resumed(claimed, *crashed.fixture.recorded(claimed))
    assert again.fixture.provider.requests == []
    assert again.runs == [(claimed.conversation_id, claimed.run_id)]


async def test_a_tool_is_told_where_nobody_can_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    told, claimed = Told(ACT, approval="risky"), asked()

    async def not_stored(*_: object) -> None:
        raise Unavailable("There is no room.")

    monkeypatch.setattr(told.fixture.queue, "suspend", not_stored)
    await told.fixture.ending(claimed)
    assert told.runs == [(claimed.conversation_id, claimed.run_id)]


@pytest.mark.parametrize("why", ["revoked", "late", "drained"])
async def test_a_worker_that_has_lost_its_run_ends_nothing_there(why: str) -> None:
    """Another one works on it now, and may hold what a tool would let go of."""
    told, claimed = Told(ACT, said("Hello.")), asked()
    told.acting.hold = asyncio.Event()
    fixture = told.fixture
    async with fixture.open():
        fixture.queue.put(claimed)
        await told.acting.begun.wait()
        match why:
            case "revoked":
                fixture.queue.tell(LeaseRevoked())
            case "late":
                fixture.queue.lease_lost = True
                told.acting.hold.set()
            case _:
                await fixture.executor.drain(0.0)
        await until(lambda: not fixture.executor._active)
    assert told.runs == []
    assert fixture.queue.endings == {}


async def test_a_tool_that_hangs_at_the_end_of_a_run_does_not_hold_it_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(work, "_TOOLS_END_S", 0.01)

    async def hang(*_: object) -> None:
        await asyncio.Event().wait()

    fixture = LoopFixture(
        *(ACT, said("Done.")),
        tools=(replace(Acting().tool, over=hang),),
        overrides={"supervisor": {"approval": "never", "tools": ["act"]}},
    )
    assert completed(await fixture.ending(asked())).finish_reason is FinishReason.STOP

"""The work of a run waits for the tools that its team names."""

import asyncio

import pytest
from msgspec.structs import replace
from tests.backend.agents.acting_fixture import Acting
from tests.backend.agents.loop_fixture import LoopFixture, asked, called, completed, said
from tests.backend.agents.test_tool_runner_approvals import suspended
from tests.backend.application.fakes import claim

from cartrita.agents.agent import NO_AGENT
from cartrita.application.runs import work
from cartrita.domain.deltas import FinishReason
from cartrita.domain.errors import UpstreamCut
from cartrita.domain.ids import ConversationId
from cartrita.domain.runs import RunInput
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


async def test_tools_are_told_of_the_end_of_a_run_and_not_of_its_waiting() -> None:
    acting, over = Acting(), list[ConversationId]()

    async def note(conversation_id: ConversationId) -> None:
        over.append(conversation_id)

    tools = (replace(acting.tool, over=note),)
    overrides = {"supervisor": {"approval": "risky", "tools": ["act"]}}
    fixture = LoopFixture(
        *(called(("act", {"what": "a"})), said("Hello."), [UpstreamCut("It broke.", provider="p")]),
        tools=tools,
        overrides=overrides,
    )
    await suspended(fixture, asked())
    assert over == []
    for _ in range(2):
        claimed = asked()
        await fixture.ending(claimed)
        assert over.pop() == claimed.conversation_id
        assert over == []


async def test_a_tool_that_hangs_at_the_end_of_a_run_does_not_hold_it_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(work, "_TOOLS_END_S", 0.01)

    async def hang(_: ConversationId) -> None:
        await asyncio.Event().wait()

    fixture = LoopFixture(
        said("Done."),
        tools=(replace(Acting().tool, over=hang),),
        overrides={"supervisor": {"tools": ["act"]}},
    )
    assert completed(await fixture.ending(asked())).finish_reason is FinishReason.STOP

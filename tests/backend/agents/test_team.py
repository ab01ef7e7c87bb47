"""Who works for an answer, and what a request may allow to them."""

from collections.abc import Sequence
from typing import Any

from cartrita.agents.agent import Agent
from cartrita.agents.registry import AgentRegistry
from cartrita.agents.roster import built_in_agents, with_overrides
from cartrita.agents.team import DELEGATE, Team
from cartrita.tools.calculator import CALCULATOR
from cartrita.tools.tool import Tool
from cartrita.tools.toolbox import Toolbox

CHAIN: Any = {
    "supervisor": {"tools": [], "delegates": ["middle", "gone"]},
    "middle": {"instructions": "Delegate.", "delegates": ["last", "middle"]},
    "last": {"instructions": "Calculate.", "tools": ["calculator"]},
}


def agents_with(overrides: Any) -> AgentRegistry:
    return AgentRegistry(with_overrides(built_in_agents(), overrides))


async def team_of(overrides: Any, tools: Sequence[Tool] = (CALCULATOR,)) -> Team:
    agents = agents_with(overrides)
    return await Team.of(agents.find(None), agents, Toolbox(tools))


def names(members: Sequence[Agent]) -> list[str]:
    return [member.id for member in members]


async def test_a_request_may_name_the_tools_of_all_below_the_leader() -> None:
    team = await team_of(CHAIN)
    assert names(team.members(team.leader)) == ["middle"]
    assert team.tool_names == ("calculator", DELEGATE)


async def test_a_member_without_its_tools_is_left_out_and_so_is_the_tool_that_asks_it() -> None:
    overrides = {
        "supervisor": {"tools": [], "delegates": ["last"]},
        "last": {"instructions": "Calculate.", "tools": ["calculator"]},
    }
    alone = await team_of(overrides, ())
    assert alone.members(alone.leader) == ()
    assert alone.tool_names == ()
    assert (await team_of(overrides)).tool_names == ("calculator", DELEGATE)


async def test_nobody_works_deeper_than_its_leader_may_delegate() -> None:
    shallow = {**CHAIN, "middle": {**CHAIN["middle"], "limits": {"depth": 1}}}
    team = await team_of(shallow)
    (middle,) = team.members(team.leader)
    assert team.members(middle, 1) == ()
    assert team.tool_names == (DELEGATE,)
    deep = await team_of(CHAIN)
    assert names(deep.members(middle, 0)) == ["last", "middle"]


async def test_an_agent_that_is_named_twice_is_one_member() -> None:
    team = await team_of({"supervisor": {"delegates": ["research", "writer", "researcher"]}})
    assert names(team.members(team.leader)) == ["researcher", "writer"]


async def test_only_supplies_that_somebody_names_are_asked() -> None:
    class Supply:
        prefix = "far__"
        asked = 0

        async def tools(self) -> Sequence[Tool]:
            self.asked += 1
            return ()

    supply = Supply()
    tools = Toolbox((), (supply,))
    for overrides, asked in ((CHAIN, 0), ({**CHAIN, "last": {"tools": ["far__*"]}}, 1)):
        agents = agents_with(overrides)
        await Team.of(agents.find(None), agents, tools)
        assert supply.asked == asked


async def test_a_leader_is_told_of_its_team_where_it_can_delegate() -> None:
    team = await team_of(CHAIN)
    assert team.instructed_leader(Toolbox((CALCULATOR,))) is team.leader

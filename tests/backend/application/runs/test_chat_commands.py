"""A request restricts the tools of the agent that answers, and of all that work for it."""

import pytest

from cartrita.agents.registry import AgentRegistry
from cartrita.agents.roster import built_in_agents, with_overrides
from cartrita.application.runs.chat_commands import ChatCommand, allowed_tools_of
from cartrita.domain.errors import InvalidInput
from cartrita.domain.messages import Message, Role, Text
from cartrita.tools.calculator import CALCULATOR
from cartrita.tools.toolbox import Toolbox

OVERRIDES = {
    "supervisor": {"tools": [], "delegates": ["middle", "gone"]},
    "middle": {"instructions": "Delegate.", "delegates": ["last", "middle"]},
    "last": {"instructions": "Calculate.", "tools": ["calculator"]},
}
AGENTS = AgentRegistry(with_overrides(built_in_agents(), OVERRIDES))


def asking(*tools: str, agent: str | None = None) -> ChatCommand:
    return ChatCommand(message=Message(Role.USER, (Text("Hi"),)), tools=tools, agent=agent)


async def test_the_tools_of_the_team_can_be_named() -> None:
    named = await allowed_tools_of(asking("delegate", "calculator"), AGENTS, Toolbox([CALCULATOR]))
    assert named == ("delegate", "calculator")


async def test_what_nobody_of_the_team_has_is_refused() -> None:
    with pytest.raises(InvalidInput):
        await allowed_tools_of(asking("saw"), AGENTS, Toolbox([CALCULATOR]))
    with pytest.raises(InvalidInput):
        await allowed_tools_of(asking("delegate", agent="last"), AGENTS, Toolbox([CALCULATOR]))


async def test_delegation_is_refused_where_no_agent_can_be_given_a_task() -> None:
    alone = {**OVERRIDES, "supervisor": {"tools": [], "delegates": ["last"]}}
    agents = AgentRegistry(with_overrides(built_in_agents(), alone))
    with pytest.raises(InvalidInput, match="there are: none"):
        await allowed_tools_of(asking("delegate"), agents, Toolbox())


async def test_a_tool_is_refused_that_only_an_agent_too_deep_has() -> None:
    shallow = {**OVERRIDES, "middle": {**OVERRIDES["middle"], "limits": {"depth": 1}}}
    agents = AgentRegistry(with_overrides(built_in_agents(), shallow))
    with pytest.raises(InvalidInput, match="there are: delegate"):
        await allowed_tools_of(asking("calculator"), agents, Toolbox([CALCULATOR]))

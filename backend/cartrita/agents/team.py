"""What an agent that can give tasks to others is told of that."""

from msgspec.structs import replace

from cartrita.agents.agent import Agent
from cartrita.agents.delegation import DELEGATE
from cartrita.tools.toolbox import Toolbox

_TEAM = (
    "You can give tasks to other agents with the tool `delegate`. Answer yourself what you can "
    "answer well; delegate what needs their tools or their care, and independent tasks in one "
    "step, so that they are done side by side. Tell each all that it needs: it does not see this "
    "conversation. Then answer in your own words from what they found. Keep their [n] marks of "
    "sources as they are."
)


def with_team(agent: Agent, tools: Toolbox) -> Agent:
    """The agent with instructions about its team, where it has one in this run."""
    if tools.find(DELEGATE) is None:
        return agent
    return replace(agent, instructions=f"{agent.instructions}\n\n{_TEAM}")

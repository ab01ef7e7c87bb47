"""The team of an answer: who works for it, and with which tools."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Final, Self

from msgspec.structs import replace

from cartrita.agents.agent import Agent
from cartrita.agents.registry import AgentRegistry
from cartrita.domain.errors import NotFound
from cartrita.tools.toolbox import Toolbox

DELEGATE: Final = "delegate"
"""The tool by which an agent gives tasks to others."""

_TOLD: Final = (
    "You can give tasks to other agents with the tool `delegate`. Answer yourself what you can "
    "answer well; delegate what needs their tools or their care, and independent tasks in one "
    "step, so that they are done side by side. Tell each all that it needs: it does not see this "
    "conversation. Then answer in your own words from what they found. Keep their [n] marks of "
    "sources as they are."
)


class Team:
    """The agent that answers, and those that can get tasks in its answer, as deep as they may be.

    `tools` are those that this server has now.
    """

    def __init__(self, leader: Agent, agents: AgentRegistry, tools: Toolbox) -> None:
        self.leader = leader
        self._agents = agents
        self._tools = tools

    @classmethod
    async def of(cls, leader: Agent, agents: AgentRegistry, tools: Toolbox) -> Self:
        """The team of an agent, for whose tools may have to be waited."""
        everybody = _reached(leader, lambda agent, depth: _delegates(agent, depth, agents))
        names = {name for agent in everybody for name in agent.tools}
        return cls(leader, agents, await tools.filled(names))

    def members(self, agent: Agent, depth: int = 0) -> tuple[Agent, ...]:
        """Those that an agent at this depth can give tasks to, in its order.

        One that names tools, of which this server has none, could only make its results up.
        """
        named = {member.id: member for member in _delegates(agent, depth, self._agents)}
        return tuple(
            member
            for member in named.values()
            if not member.tools or member.delegates or len(self.tools_of(member))
        )

    def tools_of(self, agent: Agent) -> Toolbox:
        """The tools of an agent that there are, without the one for delegation."""
        return self._tools.only(agent.tools)

    @property
    def tool_names(self) -> tuple[str, ...]:
        """All tools that a request may allow to the team."""
        everybody = _reached(self.leader, self.members)
        names = [tool.name for agent in everybody for tool in self.tools_of(agent)]
        delegate = (DELEGATE,) if self.members(self.leader) else ()
        return tuple(dict.fromkeys((*names, *delegate)))

    def instructed_leader(self, tools: Toolbox) -> Agent:
        """The agent that answers, with instructions about its team where its tools have it."""
        if tools.find(DELEGATE) is None:
            return self.leader
        return replace(self.leader, instructions=f"{self.leader.instructions}\n\n{_TOLD}")


def _delegates(agent: Agent, depth: int, agents: AgentRegistry) -> Iterator[Agent]:
    """The agents that one at this depth names, and may give tasks to."""
    if depth < agent.limits.depth:
        for name in agent.delegates:
            with suppress(NotFound):
                yield agents.find(name)


def _reached(leader: Agent, members: Callable[[Agent, int], Iterable[Agent]]) -> Iterable[Agent]:
    """An agent and all below it; `members` are those that an agent at a depth can give tasks to."""
    reached: dict[str, Agent] = {}
    level, depth = [leader], 0
    while level:
        reached |= {agent.id: agent for agent in level}
        below = {one.id: one for agent in level for one in members(agent, depth)}
        level = [agent for name, agent in below.items() if name not in reached]
        depth += 1
    return reached.values()

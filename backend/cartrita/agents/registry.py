"""The registry of agents, by id and by the names that they had."""

from collections.abc import Iterable, Iterator
from typing import Final

from cartrita.agents.agent import NO_AGENT, Agent
from cartrita.agents.roster import SUPERVISOR
from cartrita.domain.errors import NotFound

DEFAULT_AGENT: Final = SUPERVISOR
"""The id of the agent that answers when a request names none."""


class AgentRegistry:
    """The agents that can answer runs, by id. Iterates in the order in which they were given."""

    def __init__(self, agents: Iterable[Agent]) -> None:
        self._agents = {agent.id: agent for agent in agents}
        self._aliases = {
            alias: agent.id
            for agent in self._agents.values()
            for alias in agent.aliases
            if alias not in self._agents
        }

    def __iter__(self) -> Iterator[Agent]:
        return iter(self._agents.values())

    def find(self, agent_id: str | None) -> Agent:
        """The agent with this id or old name, or the default agent for None. Raises NotFound.

        `NO_AGENT` is found too, though it is not listed.
        """
        if agent_id == NO_AGENT.id:
            return NO_AGENT
        wanted = agent_id or DEFAULT_AGENT
        found = self._agents.get(self._aliases.get(wanted, wanted))
        if found is None:
            raise NotFound(
                f"There is no agent {wanted[:80]}; there are: {', '.join(self._agents)}.",
                code="agent_not_found",
            )
        return found

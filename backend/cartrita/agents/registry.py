"""The registry of agents, by id and by the names that they had."""

from collections.abc import Iterable, Iterator
from typing import Final

from msgspec.structs import replace

from cartrita.agents.agent import NO_AGENT, Agent
from cartrita.agents.roster import SUPERVISOR
from cartrita.domain.errors import NotFound
from cartrita.domain.prompts import PromptVersion

DEFAULT_AGENT: Final = SUPERVISOR
"""The id of the agent that answers when a request names none."""


class AgentRegistry:
    """The agents that can answer runs, by id. Iterates in the order in which they were given."""

    def __init__(self, agents: Iterable[Agent]) -> None:
        self._agents = {agent.id: agent for agent in agents}
        self._aliases = {
            alias: agent.id for agent in self._agents.values() for alias in agent.aliases
        }

    def __iter__(self) -> Iterator[Agent]:
        return iter(self._agents.values())

    def find(self, agent_id: str | None) -> Agent:
        """The agent with this id or old name, or the default agent for None. Raises NotFound."""
        wanted = agent_id or DEFAULT_AGENT
        found = self._agents.get(self._aliases.get(wanted, wanted))
        if found is None:
            raise NotFound(
                f"There is no agent {wanted[:80]}; there are: {', '.join(self._agents)}.",
                code="agent_not_found",
            )
        return found

    def instruct(self, agent_id: str, instructions: str, prompt: PromptVersion) -> None:
        """Give an agent the text of a prompt from now on; who has found it keeps what it had."""
        agent = self.find(agent_id)
        self._agents[agent.id] = replace(agent, instructions=instructions, prompt=prompt)

    def find_of_run(self, agent_id: str) -> Agent:
        """The agent that a run names, which is `NO_AGENT` where a model answers by itself.

        Raises NotFound.
        """
        return NO_AGENT if agent_id == NO_AGENT.id else self.find(agent_id)

"""The registry of agents, and the agents that come with this server."""

from collections.abc import Iterable, Iterator
from importlib.resources import files

from cartrita.agents.agent import NO_AGENT, Agent
from cartrita.domain.errors import NotFound

DEFAULT_AGENT = "assistant"
"""The id of the agent that answers when a request names none."""


class AgentRegistry:
    """The agents that can answer runs, by id. Iterates in the order in which they were given."""

    def __init__(self, agents: Iterable[Agent]) -> None:
        self._agents = {agent.id: agent for agent in agents}

    def __iter__(self) -> Iterator[Agent]:
        return iter(self._agents.values())

    def find(self, agent_id: str | None) -> Agent:
        """The agent with this id, or the default agent for None. Raises NotFound.

        `NO_AGENT` is found too, though it is not listed.
        """
        if agent_id == NO_AGENT.id:
            return NO_AGENT
        found = self._agents.get(agent_id or DEFAULT_AGENT)
        if found is None:
            raise NotFound(
                f"There is no agent {(agent_id or '')[:80]}; there are: {', '.join(self._agents)}.",
                code="agent_not_found",
            )
        return found


def built_in_agents() -> tuple[Agent, ...]:
    """The agents that come with this server; their instructions are read from files."""
    return (
        Agent(
            id="assistant",
            name="Assistant",
            type="assistant",
            description="Answers questions and helps with writing, code and planning.",
            instructions=_instructions("assistant"),
            capabilities=("chat", "streaming"),
        ),
    )


def _instructions(name: str) -> str:
    path = files("cartrita.agents").joinpath("instructions", f"{name}.md")
    return path.read_text("utf-8").strip()

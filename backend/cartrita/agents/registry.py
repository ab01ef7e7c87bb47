"""The registry of agents."""

from functools import cache
from importlib.resources import files

from cartrita.agents.agent import Agent
from cartrita.domain.errors import NotFound

DEFAULT_AGENT = "assistant"
"""The id of the agent that answers when a request names none."""


@cache
def agents() -> dict[str, Agent]:
    """All agents by id."""
    return {
        "assistant": Agent(
            id="assistant",
            name="Assistant",
            type="assistant",
            description="Answers questions and helps with writing, code and planning.",
            instructions=_instructions("assistant"),
            capabilities=("chat", "streaming"),
        ),
    }


def find_agent(name: str | None) -> Agent:
    """The agent with this id, or the default agent for None. Raises NotFound."""
    found = agents().get(name or DEFAULT_AGENT)
    if found is None:
        raise NotFound(
            f"There is no agent {(name or '')[:80]}; there are: {', '.join(agents())}.",
            code="agent_not_found",
        )
    return found


def _instructions(name: str) -> str:
    path = files("cartrita.agents").joinpath("instructions", f"{name}.md")
    return path.read_text("utf-8").strip()

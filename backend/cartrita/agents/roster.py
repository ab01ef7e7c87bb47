"""The team."""

from functools import cache
from importlib.resources import files

from cartrita.agents.agent import Agent
from cartrita.domain.errors import NotFound

DEFAULT = "assistant"
"""Who answers where nobody is asked for."""


@cache
def roster() -> dict[str, Agent]:
    """All agents by their ids."""
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


def agent(name: str | None) -> Agent:
    """The agent of this id, or the default one. Raises NotFound naming those that there are."""
    found = roster().get(name or DEFAULT)
    if found is None:
        raise NotFound(
            f"There is no agent {(name or '')[:80]}; there are: {', '.join(roster())}.",
            code="agent_not_found",
        )
    return found


def _instructions(name: str) -> str:
    path = files("cartrita.agents").joinpath("instructions", f"{name}.md")
    return path.read_text("utf-8").strip()

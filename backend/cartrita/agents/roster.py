"""The roster: the agents that come with this server, as data."""

from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import Final, cast

import msgspec

from cartrita.agents.agent import Agent, AgentLimits
from cartrita.domain.caps import Caps
from cartrita.domain.desktop import HAND_OVER
from cartrita.domain.tools import COMPUTER

SUPERVISOR: Final = "supervisor"
"""The id of the agent that answers when a request names none."""

_OWN_DATA: Final = ("search_files", "read_file", "search_conversations")
_WEB: Final = ("web_search", "web_fetch", "github_search")
_WORKER_LIMITS: Final = AgentLimits(caps=Caps(steps=16))
_LIMITS: Final = {"computer_use": AgentLimits(caps=Caps(steps=100))}

_WORKERS: Final = (
    Agent(
        id="researcher",
        name="Researcher",
        type="research",
        description="Finds things out on the web and on GitHub, and cites its sources.",
        instructions="",
        capabilities=("research", "web_search", "citations"),
        tools=(*_WEB, "calculator"),
        route="chat",
        aliases=("research",),
    ),
    Agent(
        id="analyst",
        name="Analyst",
        type="analysis",
        description="Works out what numbers, data and texts mean, and calculates exactly.",
        instructions="",
        capabilities=("analysis", "calculation"),
        tools=("calculator", "run_code", "search_files", "read_file"),
        route="chat",
        aliases=("analysis",),
    ),
    Agent(
        id="writer",
        name="Writer",
        type="writing",
        description="Writes and edits texts in the form and tone that are asked for.",
        instructions="",
        capabilities=("writing", "editing"),
        route="chat",
        aliases=("writing",),
    ),
    Agent(
        id="coder",
        name="Coder",
        type="code",
        description="Writes, explains and mends programs.",
        instructions="",
        capabilities=("code",),
        tools=("run_code", "github_search", "web_fetch", "calculator"),
        route="code",
        aliases=("code",),
    ),
    Agent(
        id="knowledge",
        name="Knowledge",
        type="knowledge",
        description="Answers from the person's own files and conversations, with sources.",
        instructions="",
        capabilities=("files", "citations"),
        tools=_OWN_DATA,
        route="chat",
    ),
    Agent(
        id="computer_use",
        name="Computer use",
        type="computer_use",
        description="Does tasks on a desktop: clicks, types and looks.",
        instructions="",
        capabilities=("computer_use",),
        tools=(COMPUTER, HAND_OVER),
        route="computer_use",
        aliases=("computer",),
    ),
    Agent(
        id="task",
        name="Task",
        type="task",
        description="Takes a goal apart into steps that can be checked, and does the small ones.",
        instructions="",
        capabilities=("planning",),
        tools=("calculator", *_OWN_DATA),
        route="chat",
    ),
)


def built_in_agents() -> tuple[Agent, ...]:
    """The agents that come with this server, the supervisor first, with their instructions."""
    supervisor = Agent(
        id=SUPERVISOR,
        name="Supervisor",
        type="supervisor",
        description="Answers, and gives to the other agents what they do better.",
        instructions="",
        capabilities=("chat", "streaming", "delegation"),
        tools=("calculator", *_OWN_DATA),
        delegates=tuple(agent.id for agent in _WORKERS),
        aliases=("assistant",),
    )
    workers = (
        msgspec.structs.replace(agent, limits=_LIMITS.get(agent.id, _WORKER_LIMITS))
        for agent in _WORKERS
    )
    return tuple(map(_instructed, (supervisor, *workers)))


def with_overrides(
    agents: Iterable[Agent], overrides: Mapping[str, Mapping[str, object]]
) -> tuple[Agent, ...]:
    """The agents with the fields that an operator gave them, and those that are new.

    The supervisor can give tasks to new agents, unless an operator says to whom it does.
    """
    found = {agent.id: agent for agent in agents}
    new = [name for name in overrides if name not in found]
    if new and "delegates" not in overrides.get(SUPERVISOR, {}) and SUPERVISOR in found:
        leader = found[SUPERVISOR]
        found[SUPERVISOR] = msgspec.structs.replace(leader, delegates=(*leader.delegates, *new))
    for name, fields in overrides.items():
        before = found.get(name) or _new(name)
        found[name] = msgspec.convert(_merged(msgspec.to_builtins(before), fields), Agent)
    return tuple(found.values())


def _new(name: str) -> Agent:
    return Agent(
        id=name, name=name, type=name, description=name, instructions="", limits=_WORKER_LIMITS
    )


def _merged(before: Mapping[str, object], given: Mapping[str, object]) -> dict[str, object]:
    """The fields with what is given in their place; tables are merged key by key."""
    merged = dict(before)
    for name, value in given.items():
        old = merged.get(name)
        if isinstance(value, dict) and isinstance(old, dict):
            merged[name] = _merged(cast("dict[str, object]", old), cast("dict[str, object]", value))
        else:
            merged[name] = value
    return merged


def _instructed(agent: Agent) -> Agent:
    """The agent with the instructions that lie in the file of its name."""
    path = files("cartrita.agents").joinpath("instructions", f"{agent.id}.md")
    return msgspec.structs.replace(agent, instructions=path.read_text("utf-8").strip())

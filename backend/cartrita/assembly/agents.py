"""The agents: those that come with this server, as the operator has changed them."""

from collections.abc import Iterable

import structlog

from cartrita.agents.agent import Agent
from cartrita.agents.registry import AgentRegistry
from cartrita.agents.roster import built_in_agents, with_overrides
from cartrita.agents.team import DELEGATE
from cartrita.domain.errors import NotFound
from cartrita.kit.operator_error import OperatorError
from cartrita.settings import Settings
from cartrita.settings.agents import ConfiguredAgent
from cartrita.tools.toolbox import Toolbox

log = structlog.get_logger(__name__)


def create_agents(settings: Settings) -> AgentRegistry:
    """The registry of all agents.

    Raises OperatorError for a name that two of them have, and one without any instructions.
    """
    overrides = {entry.id: entry.fields for entry in settings.agents.entries}
    agents = with_overrides(built_in_agents(), overrides)
    for entry in settings.agents.entries:
        for name in (entry.id, *(entry.aliases or ())):
            _require_own(entry.id, name, agents)
        _require_fallback(entry, agents)
    return AgentRegistry(agents)


def warn_of_missing_names(settings: Settings, agents: AgentRegistry, tools: Toolbox) -> None:
    """Log the tools and agents that the operator names for an agent, and this server has not.

    The tools of a configured server are taken to be there: it is asked for them later.
    """
    servers = tuple(f"{server.name}__" for server in settings.mcp.entries)
    for entry in settings.agents.entries:
        for name in entry.tools or ():
            if name != DELEGATE and not name.startswith(servers) and not len(tools.only((name,))):
                log.warning("agent_tool_missing", agent=entry.id, tool=name)
        for name in _missing(entry.delegates or (), agents):
            log.warning("agent_delegate_missing", agent=entry.id, delegate=name)


def _require_own(agent_id: str, name: str, agents: Iterable[Agent]) -> None:
    """Raise OperatorError if a name of this agent is one of another, too."""
    for other in agents:
        if other.id == agent_id or name not in (other.id, *other.aliases):
            continue
        if name != agent_id:
            raise OperatorError(f"agents.{agent_id}.aliases: {name!r} names the agent {other.id}.")
        raise OperatorError(
            f"agents.{agent_id}: this is another name of the agent {other.id}: write"
            f" [agents.{other.id}], or give that one other `aliases`."
        )


def _require_fallback(entry: ConfiguredAgent, agents: Iterable[Agent]) -> None:
    """Raise OperatorError if an agent has no instructions while Langfuse gives none."""
    instructed = any(agent.id == entry.id and agent.instructions for agent in agents)
    if entry.instructions_prompt is not None and not instructed:
        raise OperatorError(
            f"agents.{entry.id}.instructions_prompt: write `instructions` or `instructions_file` "
            "beside it: what the agent works by while Langfuse gives nothing."
        )


def _missing(names: Iterable[str], agents: AgentRegistry) -> Iterable[str]:
    for name in names:
        try:
            agents.find(name)
        except NotFound:
            yield name

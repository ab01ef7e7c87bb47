"""The agents: those that come with this server, as the operator has changed them."""

from collections.abc import Iterable

import structlog

from cartrita.agents.delegation import DELEGATE
from cartrita.agents.registry import AgentRegistry
from cartrita.agents.roster import built_in_agents, with_overrides
from cartrita.domain.errors import NotFound
from cartrita.settings import Settings
from cartrita.tools.toolbox import Toolbox

log = structlog.get_logger()


def create_agents(settings: Settings) -> AgentRegistry:
    """The registry of all agents."""
    overrides = {entry.id: entry.fields for entry in settings.agents.entries}
    return AgentRegistry(with_overrides(built_in_agents(), overrides))


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


def _missing(names: Iterable[str], agents: AgentRegistry) -> Iterable[str]:
    for name in names:
        try:
            agents.find(name)
        except NotFound:
            yield name

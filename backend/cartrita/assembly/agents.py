"""The agents: those that come with this server, as the operator has changed them."""

from cartrita.agents.registry import AgentRegistry
from cartrita.agents.roster import built_in_agents, with_overrides
from cartrita.settings import Settings


def create_agents(settings: Settings) -> AgentRegistry:
    """The registry of all agents."""
    overrides = {entry.id: entry.fields for entry in settings.agents.entries}
    return AgentRegistry(with_overrides(built_in_agents(), overrides))

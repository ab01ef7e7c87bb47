"""The agents as their callers see them: what each is doing, with which model, and how often."""

from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Final

import msgspec

from cartrita.agents.agent import Agent
from cartrita.agents.registry import AgentRegistry
from cartrita.application.model_choice import choose_for
from cartrita.domain.agent_activity import AgentActivity
from cartrita.domain.errors import Forbidden, NotFound, Unavailable
from cartrita.domain.ports.agents import AgentActivityReader
from cartrita.domain.principals import Principal
from cartrita.gateway.gateway import Gateway
from cartrita.kit import clock
from cartrita.tools.toolbox import Toolbox

PERIOD: Final = timedelta(days=30)
"""How far back the work of agents is counted."""


class AgentStatus(StrEnum):
    """`busy` works for a run of the caller's; `offline` has no model that the caller may use."""

    IDLE = "idle"
    BUSY = "busy"
    OFFLINE = "offline"


class ListedAgent(msgspec.Struct, frozen=True):
    """An agent, with those of its tools that are there.

    `model` is what it begins with as `provider/model`, None where there is none.
    """

    agent: Agent
    status: AgentStatus
    model: str | None
    activity: AgentActivity


class AgentDirectory:
    """The agents for a principal, whose own runs count and no others."""

    def __init__(
        self,
        agents: AgentRegistry,
        tools: Toolbox,
        activity: AgentActivityReader,
        gateway: Gateway,
    ) -> None:
        self._agents = agents
        self._tools = tools
        self._activity = activity
        self._gateway = gateway

    async def list(self, principal: Principal) -> Sequence[ListedAgent]:
        """All agents, in their order."""
        return await self._listed(principal, tuple(self._agents))

    async def get(self, principal: Principal, agent_id: str) -> ListedAgent:
        """One agent by its id or an old name. Raises NotFound."""
        (found,) = await self._listed(principal, (self._agents.find(agent_id),))
        return found

    async def _listed(self, principal: Principal, agents: Sequence[Agent]) -> Sequence[ListedAgent]:
        since = clock.now() - PERIOD
        done = {
            each.agent: each for each in await self._activity.activity(principal.owner_id, since)
        }
        routes = dict.fromkeys(agent.route for agent in agents)
        models = {route: await self._model(principal, route) for route in routes}
        return [
            _listed_agent(self._equipped(agent), models[agent.route], done.get(agent.id))
            for agent in agents
        ]

    def _equipped(self, agent: Agent) -> Agent:
        return msgspec.structs.replace(agent, tools=self._tools.known(agent.tools))

    async def _model(self, principal: Principal, route: str | None) -> str | None:
        """What answers for agents with a route, as runs choose it."""
        try:
            chosen = await choose_for(self._gateway, route, principal)
        except (Forbidden, NotFound, Unavailable):
            return None
        return f"{chosen.deployment.provider}/{chosen.deployment.model}"


def _listed_agent(agent: Agent, model: str | None, activity: AgentActivity | None) -> ListedAgent:
    found = activity or AgentActivity(agent.id)
    status = AgentStatus.OFFLINE if model is None else AgentStatus.IDLE
    return ListedAgent(agent, AgentStatus.BUSY if found.active else status, model, found)

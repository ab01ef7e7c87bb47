"""The agents as their callers see them: what each is doing, with which model, and how often."""

from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Final

import msgspec

from cartrita.agents.agent import Agent
from cartrita.agents.registry import AgentRegistry
from cartrita.application.model_choice import AgentModelChoice
from cartrita.domain.agent_activity import AgentActivity
from cartrita.domain.errors import Forbidden, InvalidInput, NotFound, Unavailable
from cartrita.domain.ports.agents import AgentActivityReader
from cartrita.domain.principals import Principal
from cartrita.kit import clock
from cartrita.tools.toolbox import Toolbox

PERIOD: Final = timedelta(days=30)
"""How far back the work of agents is counted."""


class AgentStatus(StrEnum):
    """`busy` works for a run of the caller's; `offline` has no model to work by for them."""

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
        models: AgentModelChoice,
    ) -> None:
        self._agents = agents
        self._tools = tools
        self._activity = activity
        self._models = models

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
        return [
            _listed_agent(
                self._equipped(agent), await self._model(principal, agent), done.get(agent.id)
            )
            for agent in agents
        ]

    def _equipped(self, agent: Agent) -> Agent:
        return msgspec.structs.replace(agent, tools=self._tools.known(agent.tools))

    async def _model(self, principal: Principal, agent: Agent) -> str | None:
        """What answers for an agent, as runs choose it."""
        try:
            chosen = await self._models.own(agent, principal)
        except (Forbidden, InvalidInput, NotFound, Unavailable):
            return None
        return f"{chosen.deployment.provider}/{chosen.deployment.model}"


def _listed_agent(agent: Agent, model: str | None, activity: AgentActivity | None) -> ListedAgent:
    found = activity or AgentActivity(agent.id)
    status = AgentStatus.OFFLINE if model is None else AgentStatus.IDLE
    return ListedAgent(agent, AgentStatus.BUSY if found.active else status, model, found)

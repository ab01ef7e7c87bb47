"""Chooses the models by which agents work."""

from collections.abc import Collection
from typing import Final

from cartrita.agents.agent import Agent
from cartrita.domain.errors import CartritaError, InvalidInput
from cartrita.domain.models import OFFLINE
from cartrita.domain.principals import Principal
from cartrita.domain.tools import COMPUTER
from cartrita.gateway.gateway import Gateway
from cartrita.gateway.needs import OF_DESKTOPS, lacking
from cartrita.gateway.routing import Choice
from cartrita.tools.toolbox import Toolbox

_BUILT_IN: Final = f"{OFFLINE}/assistant"
"""Its answers to a task are what it says to everything."""


async def choose_for(
    gateway: Gateway,
    route: str | None,
    principal: Principal,
    otherwise: Choice | None = None,
    needing: Collection[str] = (),
) -> Choice:
    """What a route, or a model by its name, begins with; `otherwise`, or the default, without one.

    It is as without one where the key may not call it, or nobody serves it. Of a route it is the
    first that is not known to lack what is needed, if there is such a one. Raises CartritaError.
    """
    asking = principal.scopes, principal.payer
    if route is not None:
        try:
            return await gateway.choose(None, route, *asking, needing)
        except CartritaError:
            pass
    if otherwise is None:
        return await gateway.choose(None, None, *asking, needing)
    if needing and otherwise.route is not None:
        return await gateway.choose(None, otherwise.route, *asking, needing)
    return otherwise


class AgentModelChoice:
    """What agents work by. `tools` are those of this server.

    An agent with the tool `computer` works by no model that is known not to see, or to call no
    tools: it would make up what it does on a desktop.
    """

    def __init__(self, gateway: Gateway, tools: Toolbox) -> None:
        self._gateway = gateway
        self._tools = tools

    async def named(
        self, agent: Agent, principal: Principal, provider: str | None, model: str | None
    ) -> Choice:
        """What a request names; where it names nothing, what the agent begins with.

        Raises InvalidInput for a model by which the agent cannot work, and what
        `Gateway.choose` raises.
        """
        if provider is None and model is None:
            return await self.own(agent, principal)
        asking = principal.scopes, principal.payer
        choice = await self._gateway.choose(provider, model, *asking, self._needed(agent))
        self.require_able(agent, choice)
        return choice

    async def own(
        self, agent: Agent, principal: Principal, otherwise: Choice | None = None
    ) -> Choice:
        """What an agent begins with by itself: see `choose_for`. Raises as `named` does."""
        needed = self._needed(agent)
        choice = await choose_for(self._gateway, agent.route, principal, otherwise, needed)
        self.require_able(agent, choice)
        return choice

    def require_able(self, agent: Agent, choice: Choice) -> None:
        """Raise InvalidInput for a model by which the agent cannot work."""
        needed = self._needed(agent)
        if not needed:
            return
        used = choice.deployment
        missing = lacking(self._gateway.profile(used), needed)
        if missing or used.id == _BUILT_IN:
            raise InvalidInput.of(
                "model",
                f"{used.id} cannot use a desktop, for which a model needs "
                f"{' and '.join(missing or needed)}: name one that has that, of a provider whose "
                "key is set here",
            )

    def _needed(self, agent: Agent) -> Collection[str]:
        uses_desktops = COMPUTER in agent.tools and self._tools.find(COMPUTER) is not None
        return OF_DESKTOPS if uses_desktops else ()

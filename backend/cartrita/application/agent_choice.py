"""Chooses the models by which an agent works."""

from cartrita.agents.agent import Agent
from cartrita.domain.errors import CartritaError
from cartrita.domain.principals import Principal
from cartrita.gateway.gateway import Gateway
from cartrita.gateway.routing import Choice


async def choose_for(
    gateway: Gateway, agent: Agent, principal: Principal, otherwise: Choice | None = None
) -> Choice:
    """What the agent's route begins with; `otherwise`, or the default, without one.

    It is as without one where the key may not call it, or nobody serves it. Raises CartritaError.
    """
    if agent.route is not None:
        try:
            return await gateway.choose(None, agent.route, principal.scopes, principal.payer)
        except CartritaError:
            pass
    return otherwise or await gateway.choose(None, None, principal.scopes, principal.payer)

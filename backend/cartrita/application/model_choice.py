"""Chooses the models by which agents work."""

from cartrita.domain.errors import CartritaError
from cartrita.domain.principals import Principal
from cartrita.gateway.gateway import Gateway
from cartrita.gateway.routing import Choice


async def choose_for(
    gateway: Gateway, route: str | None, principal: Principal, otherwise: Choice | None = None
) -> Choice:
    """What a route, or a model by its name, begins with; `otherwise`, or the default, without one.

    It is as without one where the key may not call it, or nobody serves it. Raises CartritaError.
    """
    if route is not None:
        try:
            return await gateway.choose(None, route, principal.scopes, principal.payer)
        except CartritaError:
            pass
    return otherwise or await gateway.choose(None, None, principal.scopes, principal.payer)

"""FastAPI dependencies of the endpoints: caller, services, and path and header values."""

from typing import Annotated, Final, TypeAlias

from fastapi import Depends, Header, Path, Request
from pydantic import AfterValidator

from cartrita.domain.audit import Actor
from cartrita.domain.principals import Principal
from cartrita.domain.scopes import Operation
from cartrita.kit.text import storable_text
from cartrita.surfaces import answer_room
from cartrita.surfaces.authentication import Caller, authenticate
from cartrita.surfaces.route_limits import route_limits_of
from cartrita.surfaces.services import Services, SurfaceConfig, config_of, services_of

OWNER_STATE: Final = "owner_id"
"""In the state of a request: whose it is, once that is known, for what stands before the routes."""


async def current_caller(request: Request) -> Caller:
    """Authenticate the caller, and count its request."""
    caller = await authenticate(request)
    setattr(request.state, OWNER_STATE, caller.principal.owner_id)
    await route_limits_of(request).count_user(request, caller.principal.owner_id)
    return caller


async def anonymous_caller(request: Request) -> None:
    """Count the request of somebody who need not authenticate."""
    await route_limits_of(request).count_anonymous(request)


async def current_principal(caller: Annotated[Caller, Depends(current_caller)]) -> Principal:
    """The principal of the caller."""
    return caller.principal


async def current_actor(
    caller: Annotated[Caller, Depends(current_caller)], request: Request
) -> Actor:
    """The principal of the caller with its address, for the log of changes."""
    return Actor(caller.principal, None if request.client is None else request.client.host)


async def admin_only(principal: Annotated[Principal, Depends(current_principal)]) -> None:
    """Raise Forbidden unless the caller administers a tenant."""
    principal.require_admin()


async def operator_only(principal: Annotated[Principal, Depends(current_principal)]) -> None:
    """Raise Forbidden unless the caller administers the server."""
    principal.require_operator()


class Requires:
    """A dependency of routes that are of one operation, which the caller's key must allow."""

    def __init__(self, operation: Operation) -> None:
        self.operation = operation

    async def __call__(self, caller: Annotated[Caller, Depends(current_caller)]) -> None:
        caller.principal.scopes.require_operation(self.operation)


async def require_room(
    caller: Annotated[Caller, Depends(current_caller)], request: Request
) -> None:
    """Raise TooManyStreams if the caller's key is receiving as many answers as it may."""
    answer_room.require_room(request, caller.principal)


async def app_services(request: Request) -> Services:
    return services_of(request)


async def app_config(request: Request) -> SurfaceConfig:
    return config_of(request)


def _require_storable(text: str) -> str:
    if storable_text(text) != text:
        raise ValueError("it holds a NUL or half a surrogate pair")
    return text


CurrentCaller: TypeAlias = Annotated[Caller, Depends(current_caller)]
CurrentPrincipal: TypeAlias = Annotated[Principal, Depends(current_principal)]
CurrentActor: TypeAlias = Annotated[Actor, Depends(current_actor)]
AppServices: TypeAlias = Annotated[Services, Depends(app_services)]
AppConfig: TypeAlias = Annotated[SurfaceConfig, Depends(app_config)]

ANONYMOUS: Final = [Depends(anonymous_caller)]
"""Dependencies of routes that everybody may use; those of probes have none."""
ANSWERED: Final = [Depends(require_room)]
"""Dependencies of routes that stream answers, or wait for them."""
STORED: Final = [Depends(Requires(Operation.CONVERSATIONS))]
"""Dependencies of routes that read or change what is stored."""
ASKED: Final = [Depends(Requires(Operation.CHAT))]
"""Dependencies of routes of runs."""

PublicId: TypeAlias = Annotated[
    str, Path(min_length=1, max_length=255), AfterValidator(_require_storable)
]
Storable: TypeAlias = Annotated[str, AfterValidator(_require_storable)]
"""A query value that the database can store."""

IdempotencyKey: TypeAlias = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r"^[ -~]+$",
        description="Requests with the same key and body are one: the run is made once.",
    ),
]
LastEventId: TypeAlias = Annotated[
    str | None,
    Header(
        alias="Last-Event-ID",
        description="The id of the last event that was received, as browsers send it.",
        examples=["run_0193b0c3a5d87c1e9f4d2b6a8e0c4f17.7"],
    ),
]

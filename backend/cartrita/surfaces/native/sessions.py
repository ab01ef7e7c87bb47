"""Session endpoints: browser sign-in by cookie, and tickets for event streams."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from cartrita.domain.errors import Unauthenticated
from cartrita.domain.principals import Principal
from cartrita.surfaces.authentication import SESSION_COOKIE, CredentialKind, authenticate
from cartrita.surfaces.native.dependencies import AppConfig, AppServices, CurrentPrincipal
from cartrita.surfaces.native.request_bodies import PublicJsonBody, RequestModel
from cartrita.surfaces.origins import origin_of, require_no_other_origin

router = APIRouter(prefix="/api", tags=["sessions"])


class SignIn(RequestModel):
    """A code from the server's sign-in link; without one the API key in the header is used."""

    code: Annotated[str | None, Field(min_length=1, max_length=200)] = None


class SessionView(BaseModel):
    """The signed-in owner; the session itself is in the cookie."""

    owner_id: str
    expires_in: float = Field(description="Seconds.")


class StreamTicket(BaseModel):
    """Starts one stream: `GET /api/chat/stream?ticket=...`."""

    ticket: str
    expires_in: float = Field(description="Seconds.")


@router.post("/session")
async def open_session(
    request: Request,
    response: Response,
    body: Annotated[SignIn, Depends(PublicJsonBody(SignIn, optional=True))],
    services: AppServices,
    config: AppConfig,
) -> SessionView:
    """Sign a browser in, with an API key in the header or with a sign-in code."""
    require_no_other_origin(request)
    if body.code is not None:
        principal = await services.sessions.redeem_code(body.code)
    else:
        principal = await _authenticate_by_key(request)
    response.set_cookie(
        SESSION_COOKIE,
        await services.sessions.open(principal),
        max_age=int(config.session_s),
        secure=request.scope["scheme"] == "https",
        httponly=True,
        samesite="strict",
    )
    return SessionView(owner_id=principal.owner_id, expires_in=config.session_s)


@router.delete("/session", status_code=204)
async def close_session(_: CurrentPrincipal) -> Response:
    """Sign out: delete the session cookie."""
    response = Response(status_code=204)
    response.delete_cookie(SESSION_COOKIE, httponly=True, samesite="strict")
    return response


@router.post("/stream-tickets", status_code=201)
async def issue_stream_ticket(
    request: Request, principal: CurrentPrincipal, services: AppServices, config: AppConfig
) -> StreamTicket:
    """Issue a ticket for one `EventSource`, which cannot set headers.

    It works once, from the origin that requested it, and can resume the stream that it started.
    """
    ticket = await services.sessions.issue_ticket(principal, origin_of(request))
    return StreamTicket(ticket=ticket.reveal(), expires_in=config.ticket_s)


async def _authenticate_by_key(request: Request) -> Principal:
    caller = await authenticate(request)
    if caller.credential is CredentialKind.COOKIE:
        raise Unauthenticated("A session does not renew itself: send your API key.")
    return caller.principal

"""Signing in from a browser: a session cookie, and tickets for its event streams."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from cartrita.domain.errors import Unauthenticated
from cartrita.domain.principals import Principal
from cartrita.surfaces.authentication import SESSION_COOKIE, Means, authenticate
from cartrita.surfaces.native.bodies import Incoming, OpenBody
from cartrita.surfaces.native.dependencies import Me, TheRules, UseCases
from cartrita.surfaces.origins import origin_of, require_no_foreign_page

router = APIRouter(prefix="/api", tags=["sessions"])


class SignIn(Incoming):
    """A code from the server's sign-in link; without one the API key in the header counts."""

    code: Annotated[str | None, Field(min_length=1, max_length=200)] = None


class SessionView(BaseModel):
    """Who is signed in; the session itself is in the cookie."""

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
    body: Annotated[SignIn, Depends(OpenBody(SignIn, optional=True))],
    services: UseCases,
    rules: TheRules,
) -> SessionView:
    """Sign a browser in, with an API key in the header or with a code that the server printed."""
    require_no_foreign_page(request)
    if body.code is not None:
        who = await services.sessions.redeem_code(body.code)
    else:
        who = await _by_key(request)
    response.set_cookie(
        SESSION_COOKIE,
        await services.sessions.open(who),
        max_age=int(rules.session_s),
        secure=request.scope["scheme"] == "https",
        httponly=True,
        samesite="strict",
    )
    return SessionView(owner_id=who.owner_id, expires_in=rules.session_s)


@router.delete("/session", status_code=204)
async def close_session(_: Me) -> Response:
    """Sign out: the browser forgets its session."""
    response = Response(status_code=204)
    response.delete_cookie(SESSION_COOKIE, httponly=True, samesite="strict")
    return response


@router.post("/stream-tickets", status_code=201)
async def issue_stream_ticket(
    request: Request, who: Me, services: UseCases, rules: TheRules
) -> StreamTicket:
    """A ticket for one `EventSource`, which can set no headers.

    It works once, from the origin that asked for it, and resumes what it started.
    """
    ticket = await services.sessions.issue_ticket(who, origin_of(request))
    return StreamTicket(ticket=ticket.reveal(), expires_in=rules.ticket_s)


async def _by_key(request: Request) -> Principal:
    who = await authenticate(request)
    if who.means is Means.COOKIE:
        raise Unauthenticated("A session does not renew itself: send your API key.")
    return who.principal

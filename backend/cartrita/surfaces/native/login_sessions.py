"""Login session endpoints: sign a browser in and out, by cookie."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from cartrita.domain.errors import Unauthenticated
from cartrita.domain.principals import Principal
from cartrita.surfaces.authentication import SESSION_COOKIE, AuthenticationMethod, authenticate
from cartrita.surfaces.dependencies import ANONYMOUS, AppConfig, AppServices, CurrentPrincipal
from cartrita.surfaces.inbound_limits import inbound_limits_of
from cartrita.surfaces.native.request_bodies import PublicJsonBody, RequestModel
from cartrita.surfaces.origins import require_no_other_origin

router = APIRouter(prefix="/api", tags=["sessions"])


class SignIn(RequestModel):
    """A code from the server's sign-in link; without one the API key in the header is used."""

    code: Annotated[str | None, Field(min_length=1, max_length=200)] = None


class LoginSessionView(BaseModel):
    """The signed-in owner; the session itself is in the cookie."""

    owner_id: str
    expires_in: float = Field(description="Seconds.")


@router.post("/session", dependencies=ANONYMOUS)
async def open_session(
    request: Request,
    response: Response,
    body: Annotated[SignIn, Depends(PublicJsonBody(SignIn, optional=True))],
    services: AppServices,
    config: AppConfig,
) -> LoginSessionView:
    """Sign a browser in, with an API key in the header or with a sign-in code."""
    require_no_other_origin(request)
    if body.code is not None:
        with inbound_limits_of(request).guessing(request):
            principal = await services.tickets.use_sign_in_code(body.code)
    else:
        principal = await _authenticate_by_key(request)
    response.set_cookie(
        SESSION_COOKIE,
        await services.login_sessions.open(principal),
        max_age=int(config.session_s),
        secure=request.scope["scheme"] == "https",
        httponly=True,
        samesite="strict",
    )
    return LoginSessionView(owner_id=principal.owner_id, expires_in=config.session_s)


@router.delete("/session", status_code=204)
async def close_session(_: CurrentPrincipal) -> Response:
    """Sign out: delete the session cookie."""
    response = Response(status_code=204)
    response.delete_cookie(SESSION_COOKIE, httponly=True, samesite="strict")
    return response


async def _authenticate_by_key(request: Request) -> Principal:
    caller = await authenticate(request)
    if caller.authenticated_by is AuthenticationMethod.COOKIE:
        raise Unauthenticated("A session does not renew itself: send your API key.")
    return caller.principal

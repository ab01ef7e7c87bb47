"""Who opens a socket, by its handshake or by a frame, and whether its page may."""

from starlette.requests import HTTPConnection

from cartrita.domain.errors import Unauthenticated
from cartrita.domain.principals import Principal
from cartrita.surfaces.authentication import (
    SESSION_COOKIE,
    AuthenticationMethod,
    authenticate,
    authenticate_key,
    is_known_key,
    keys_in_query,
)
from cartrita.surfaces.inbound_limits import inbound_limits_of
from cartrita.surfaces.native.websocket.client_frames import AuthFrame
from cartrita.surfaces.origins import require_host, require_no_other_origin, require_own_page
from cartrita.surfaces.services import config_of


async def principal_of_handshake(connection: HTTPConnection) -> Principal | None:
    """Who opens the socket; None if the first frame has to say it.

    A page of another origin is refused, whatever it sends along, and so is a cookie without an
    Origin, which no browser sends so. A cookie that has ended is none: a browser would not show its
    page why the handshake was refused. Raises what `authenticate` raises.
    """
    require_host(connection)
    require_no_other_origin(connection)
    keys = keys_in_query(connection)
    ticket = connection.query_params.get("ticket")
    deliberate = bool(ticket or keys) or any(
        name in connection.headers for name in ("x-api-key", "authorization")
    )
    keyless = config_of(connection).keyless
    if not (deliberate or keyless or SESSION_COOKIE in connection.cookies):
        return None
    try:
        caller = await authenticate(connection, ticket=ticket or None)
    except Unauthenticated:
        if deliberate:
            raise
        return None
    if caller.authenticated_by is AuthenticationMethod.COOKIE:
        require_own_page(connection)
    return caller.principal


async def principal_of_frame(connection: HTTPConnection, frame: AuthFrame) -> Principal:
    """Who calls, by the key in a frame.

    Raises Unauthenticated, UpstreamError, and RateLimited where too many keys from this address
    were not valid.
    """
    key = frame.api_key.strip(" \t")
    if is_known_key(connection, key, provider=frame.provider):
        return await authenticate_key(connection, key, provider=frame.provider)
    with inbound_limits_of(connection).guessing(connection):
        return await authenticate_key(connection, key, provider=frame.provider)

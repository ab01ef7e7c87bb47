"""Answers the handshake of a socket: accepted and served, or refused as any request is."""

import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final, TypeAlias

import structlog
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cartrita.domain.errors import CartritaError
from cartrita.surfaces.inbound_limits import address_of
from cartrita.surfaces.log_keys import bind_request
from cartrita.surfaces.middleware import add_default_headers, request_id_headers, request_id_of
from cartrita.surfaces.native.errors import envelope, status_of
from cartrita.surfaces.native.websocket.handshake import principal_of_handshake
from cartrita.surfaces.native.websocket.open_socket import OpenSocket
from cartrita.surfaces.native.websocket.socket_kind import SocketKind
from cartrita.surfaces.open_sockets import Visit
from cartrita.surfaces.services import request_counts_of, services_of
from cartrita.surfaces.surface_names import surface_of

log = structlog.get_logger(__name__)

_BROKEN: Final = 1006
"""The code of a socket that ends without one."""

Serving: TypeAlias = Callable[[Receive, Send], Awaitable[int]]
"""Serves an accepted socket until it is closed; the close code."""
Admission: TypeAlias = Callable[[HTTPConnection, Visit], Awaitable[Serving]]
"""Looks whether a caller may open a socket, and raises CartritaError where they may not."""


def endpoint(kind: SocketKind) -> ASGIApp:
    """The ASGI application of a socket's address."""
    return partial(answer_handshake, kind.path, partial(_admit, kind))


async def answer_handshake(
    path: str,
    admit: Admission,
    scope: Scope,
    receive: Receive,
    send: Send,
    *,
    subprotocol: str | None = None,
) -> None:
    """Serve whoever is admitted. `path` is for the log; `subprotocol` is spoken with who asks."""
    began = time.monotonic()
    connection = HTTPConnection(scope)
    counts = request_counts_of(connection)
    headers = dict(scope["headers"])
    request_id = request_id_of(headers.get(b"x-request-id"))
    scope["state"]["request_id"] = request_id
    bind_request(request_id, surface_of(path))
    own_headers = request_id_headers(path, headers, request_id)

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "websocket.http.response.start":
            add_default_headers(message, scope, own_headers)
        await send(message)

    await receive()  # that it connects
    with services_of(connection).sockets.visit(address_of(connection)) as visit:
        try:
            serve = await admit(connection, visit)
        except Exception as raised:  # noqa: BLE001 - answered below
            error = _known(raised, path)
            status = status_of(error)
            await envelope(connection, error, status)(scope, receive, send_with_headers)
            seconds = time.monotonic() - began
            counts.answered(surface_of(path), "GET", path, status, seconds)
            log.info("socket_refused", path=path, status=status, code=error.code)
            return
        accepted: Message = {"type": "websocket.accept", "headers": own_headers}
        if subprotocol in scope.get("subprotocols", ()):
            accepted["subprotocol"] = subprotocol
        await send(accepted)
        counts.socket_opened(path)
        code = _BROKEN
        try:
            code = await serve(receive, send)
        finally:
            counts.socket_closed(path, code)
    seconds = round(time.monotonic() - began, 4)
    log.info("socket_closed", path=path, code=code, seconds=seconds)


async def _admit(kind: SocketKind, connection: HTTPConnection, visit: Visit) -> Serving:
    """Who does not say at once who they are may say it in the first frame."""
    principal = await principal_of_handshake(connection)
    if principal is None:
        visit.begin()

    async def serve(receive: Receive, send: Send) -> int:
        return await OpenSocket(kind, connection, receive, send).run(principal, visit)

    return serve


def _known(error: Exception, path: str) -> CartritaError:
    """The error as callers are told it; one that is none of ours is logged."""
    if isinstance(error, CartritaError):
        return error
    log.error("request_failed", path=path, exc_info=error)
    return CartritaError("Something broke on our side; the log knows it by this request_id.")

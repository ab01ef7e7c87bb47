"""Answers the handshake of a socket: accepted and served, or refused as any request is."""

import time

import structlog
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cartrita.domain.errors import CartritaError
from cartrita.surfaces.inbound_limits import address_of
from cartrita.surfaces.middleware import add_default_headers, request_id_headers, request_id_of
from cartrita.surfaces.native.errors import envelope, status_of
from cartrita.surfaces.native.websocket.handshake import principal_of_handshake
from cartrita.surfaces.native.websocket.open_socket import OpenSocket
from cartrita.surfaces.native.websocket.socket_kind import SocketKind
from cartrita.surfaces.services import services_of

log = structlog.get_logger()


def endpoint(kind: SocketKind) -> ASGIApp:
    """The ASGI application of a socket's address."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        await _serve(kind, scope, receive, send)

    return serve


async def _serve(kind: SocketKind, scope: Scope, receive: Receive, send: Send) -> None:
    began = time.monotonic()
    connection = HTTPConnection(scope)
    headers = dict(scope["headers"])
    request_id = request_id_of(headers.get(b"x-request-id"))
    scope["state"]["request_id"] = request_id
    structlog.contextvars.bind_contextvars(request_id=request_id)
    own_headers = request_id_headers(kind.path, headers, request_id)

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "websocket.http.response.start":
            add_default_headers(message, scope, own_headers)
        await send(message)

    await receive()  # that it connects
    with services_of(connection).sockets.visit(address_of(connection)) as visit:
        try:
            principal = await principal_of_handshake(connection)
            if principal is None:
                visit.begin()
        except Exception as raised:  # noqa: BLE001 - answered below
            error = known_error(raised, kind.path)
            status = status_of(error)
            await envelope(connection, error, status)(scope, receive, send_with_headers)
            log.info("socket_refused", path=kind.path, status=status, code=error.code)
            return
        await send({"type": "websocket.accept", "headers": own_headers})
        code = await OpenSocket(kind, connection, receive, send).run(principal, visit)
    seconds = round(time.monotonic() - began, 4)
    log.info("socket_closed", path=kind.path, code=code, seconds=seconds)


def known_error(error: Exception, path: str) -> CartritaError:
    """The error as callers are told it; one that is none of ours is logged."""
    if isinstance(error, CartritaError):
        return error
    log.error("request_failed", path=path, exc_info=error)
    return CartritaError("Something broke on our side; the log knows it by this request_id.")

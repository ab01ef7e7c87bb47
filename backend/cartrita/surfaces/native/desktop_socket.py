"""The socket on which a desktop is seen: RFB, in binary frames, between its host and a page."""

import asyncio
import time
from contextlib import suppress
from typing import Final

import structlog
from starlette.requests import HTTPConnection
from starlette.types import Message, Receive, Scope, Send

from cartrita.application.desktop.control import holder_of
from cartrita.domain.errors import CartritaError, DesktopGone, Unauthenticated
from cartrita.domain.ports.desktop import Desktop, Viewer
from cartrita.domain.principals import Principal
from cartrita.domain.scopes import Operation
from cartrita.surfaces.inbound_limits import address_of
from cartrita.surfaces.middleware import add_default_headers, request_id_headers, request_id_of
from cartrita.surfaces.native.errors import envelope, status_of
from cartrita.surfaces.native.websocket import closings
from cartrita.surfaces.native.websocket.closings import Closing
from cartrita.surfaces.native.websocket.endpoint import known_error
from cartrita.surfaces.native.websocket.handshake import principal_of_handshake
from cartrita.surfaces.services import config_of, services_of

log = structlog.get_logger()

DESKTOP_SOCKETS: Final = "/ws/desktop/"
"""Before the id of the desktop."""
FRAMES_PER_S: Final = 500.0
"""A pointer that moves tells where it is up to 125 times a second, and each key twice."""
_TOLD_PATH: Final = "/ws/desktop"
_SUBPROTOCOL: Final = "binary"
"""Which older versions of noVNC ask for."""
_NORMAL: Final = 1000
_CLOSING_S: Final = 2.0
_LEFT: Final = 1005
"""The client closed the connection, or it was lost: as ASGI tells it."""


async def serve_desktop(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer the handshake: the desktop is seen, or it is refused as any request is."""
    began = time.monotonic()
    connection = HTTPConnection(scope)
    headers = dict(scope["headers"])
    request_id = request_id_of(headers.get(b"x-request-id"))
    scope["state"]["request_id"] = request_id
    structlog.contextvars.bind_contextvars(request_id=request_id)
    own_headers = request_id_headers(_TOLD_PATH, headers, request_id)

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "websocket.http.response.start":
            add_default_headers(message, scope, own_headers)
        await send(message)

    await receive()  # that it connects
    with services_of(connection).sockets.visit(address_of(connection)):
        try:
            principal, desktop = await _admitted(connection)
        except Exception as raised:  # noqa: BLE001 - answered below
            error = known_error(raised, _TOLD_PATH)
            status = status_of(error)
            await envelope(connection, error, status)(scope, receive, send_with_headers)
            log.info("socket_refused", path=_TOLD_PATH, status=status, code=error.code)
            return
    accepted: Message = {"type": "websocket.accept", "headers": own_headers}
    if _SUBPROTOCOL in scope.get("subprotocols", ()):
        accepted["subprotocol"] = _SUBPROTOCOL
    await send(accepted)
    code = await _DesktopSocket(connection, desktop, receive, send).run(principal)
    seconds = round(time.monotonic() - began, 4)
    log.info("socket_closed", path=_TOLD_PATH, code=code, seconds=seconds)


async def _admitted(connection: HTTPConnection) -> tuple[Principal, Desktop]:
    """Who looks, and at which desktop. Raises CartritaError."""
    principal = await principal_of_handshake(connection)
    if principal is None:
        raise Unauthenticated("Say who looks: by a key in a header, a ticket or a session.")
    principal.scopes.require_operation(Operation.DESKTOP)
    sessions = services_of(connection).desktops.sessions
    desktop_id = connection.scope["path"].removeprefix(DESKTOP_SOCKETS)
    session = await sessions.get(principal, desktop_id)
    return principal, await sessions.opened(session)


class _DesktopSocket:
    """An accepted socket. What the desktop says waits until the page has taken what it said before.

    A page that sends nothing for the time of an idle socket is gone: what shows a desktop asks for
    its next picture all the time.
    """

    def __init__(
        self, connection: HTTPConnection, desktop: Desktop, receive: Receive, send: Send
    ) -> None:
        self._services = services_of(connection)
        self._idle_s = config_of(connection).sockets.idle_s
        self._desktop = desktop
        self._receive = receive
        self._send = send
        self._lifetime = asyncio.timeout(None)

    async def run(self, principal: Principal) -> int:
        """Show the desktop until one of both ends leaves; the close code."""
        try:
            async with self._lifetime:
                with self._services.sockets.hold(self._end_now) as held:
                    held.belongs_to(principal.owner_id)
                    closing = await self._show(principal)
        except TimeoutError:
            closing = self._overdue()
        except DesktopGone as error:
            closing = Closing(_NORMAL, error.message)
        except CartritaError as error:
            closing = Closing(Closing.of(error).code, error.message)
        if closing is None:
            return _LEFT
        await self._close(closing)
        return closing.code

    async def _show(self, principal: Principal) -> Closing | None:
        with self._services.connections.hold(principal):
            async with self._desktop.view(holder_of(principal)) as viewer:
                async with asyncio.TaskGroup() as tasks:
                    shown = tasks.create_task(self._pass_on(viewer))
                    told = tasks.create_task(self._take(viewer))
                    await asyncio.wait((shown, told), return_when=asyncio.FIRST_COMPLETED)
                    closing = told.result() if told.done() else Closing(_NORMAL, "it has ended")
                    shown.cancel()
                    told.cancel()
                return closing

    async def _pass_on(self, viewer: Viewer) -> None:
        """What the desktop says, until its end."""
        while data := await viewer.receive():
            with suppress(OSError):
                await self._send({"type": "websocket.send", "bytes": data})

    async def _take(self, viewer: Viewer) -> Closing | None:
        """What the page says, until it leaves or says what is no RFB."""
        while True:
            try:
                async with asyncio.timeout(self._idle_s):
                    message = await self._receive()
            except TimeoutError:
                return Closing(closings.IDLE, "nothing was sent for too long")
            if message["type"] == "websocket.disconnect":
                return None
            data = message.get("bytes")
            if data is None:
                return Closing(closings.INVALID_DATA, "send RFB, in binary frames")
            await viewer.send(data)

    async def _close(self, closing: Closing) -> None:
        """Close it, unless its page takes nothing any more."""
        told = {"code": closing.code, "reason": closing.short_reason}
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(_CLOSING_S):
                await self._send({"type": "websocket.close", **told})

    def _end_now(self) -> None:
        if not self._lifetime.expired():
            self._lifetime.reschedule(asyncio.get_running_loop().time())

    def _overdue(self) -> Closing:
        if self._services.sockets.draining:
            return Closing(closings.GOING_AWAY, "this server is about to stop: come back")
        return Closing(closings.INTERNAL, "the desktop does not answer")

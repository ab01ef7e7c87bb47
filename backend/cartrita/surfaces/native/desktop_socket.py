"""The socket on which a desktop is seen: RFB, in binary frames, between its host and a page."""

import asyncio
from contextlib import suppress
from types import MappingProxyType
from typing import Final

import structlog
from starlette.requests import HTTPConnection
from starlette.types import Receive, Scope, Send

from cartrita.application.desktop.control import holder_of
from cartrita.domain.desktop import DesktopSession
from cartrita.domain.desktop_errors import DesktopGone
from cartrita.domain.errors import CartritaError, Malformed, Unauthenticated
from cartrita.domain.ports.desktop import Desktop, Viewer
from cartrita.domain.principals import Principal
from cartrita.domain.scopes import Operation
from cartrita.surfaces.native.websocket import closings
from cartrita.surfaces.native.websocket.channel import Channel
from cartrita.surfaces.native.websocket.closings import LEFT, Closing
from cartrita.surfaces.native.websocket.endpoint import Serving, answer_handshake
from cartrita.surfaces.native.websocket.handshake import principal_of_handshake
from cartrita.surfaces.native.websocket.server_frames import DrainFrame, ErrorReply
from cartrita.surfaces.open_sockets import Visit
from cartrita.surfaces.services import config_of, services_of

log = structlog.get_logger(__name__)

DESKTOP_SOCKETS: Final = "/ws/desktop/"
"""Before the id of the desktop."""
FRAMES_PER_S: Final = 500.0
"""A pointer that moves tells where it is up to 125 times a second, and each key twice."""
_TOLD_PATH: Final = "/ws/desktop"
_SUBPROTOCOL: Final = "binary"
"""Which older versions of noVNC ask for."""
_NORMAL: Final = 1000
_ENDED: Final = "The desktop has ended, or this view of it."
DESKTOP_CHANNEL: Final = Channel(
    name="desktop",
    sending="send_desktop",
    receiving="receive_desktop",
    description="A desktop is seen, and used by whoever has taken it over: RFB (RFC 6143), the "
    "protocol of VNC, without a password. Who looks is told by the handshake alone. A frame may "
    "hold any piece of what is said, and ends nowhere in particular. Text comes from the server, "
    "right before it closes: why it does.",
    path=f"{DESKTOP_SOCKETS}{{desktop_id}}",
    parameters=MappingProxyType({"desktop_id": "The id of a desktop that runs."}),
    answers=(DrainFrame, ErrorReply),
    sent_binary=MappingProxyType(
        {"ViewerMessages": "RFB of a viewer; input counts while its key has the control."}
    ),
    received_binary=MappingProxyType({"DesktopMessages": "RFB of the desktop."}),
    closings=MappingProxyType({_NORMAL: "The desktop has ended, or this view.", **closings.CODES}),
    tells_events=False,
)


async def serve_desktop(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer the handshake: the desktop is seen, or it is refused as any request is."""
    await answer_handshake(_TOLD_PATH, _admit, scope, receive, send, subprotocol=_SUBPROTOCOL)


async def _admit(connection: HTTPConnection, _: Visit) -> Serving:
    """Who looks, and at which desktop. Raises CartritaError."""
    principal = await principal_of_handshake(connection)
    if principal is None:
        raise Unauthenticated("Say who looks: by a key in a header, a ticket or a session.")
    principal.scopes.require_operation(Operation.DESKTOP)
    sessions = services_of(connection).desktops.sessions
    desktop_id = connection.scope["path"].removeprefix(DESKTOP_SOCKETS)
    session = await sessions.get(principal, desktop_id)
    desktop = await sessions.opened(session)

    async def serve(receive: Receive, send: Send) -> int:
        return await _DesktopSocket(connection, session, desktop, receive, send).run(principal)

    return serve


class _DesktopSocket:
    """An accepted socket. What the desktop says waits until the page has taken what it said before.

    It is idle when nothing is said either way: the screen stands still, and nobody touches it.
    """

    def __init__(
        self,
        connection: HTTPConnection,
        session: DesktopSession,
        desktop: Desktop,
        receive: Receive,
        send: Send,
    ) -> None:
        self._services = services_of(connection)
        self._idle_s = config_of(connection).sockets.idle_s
        self._session = session
        self._desktop = desktop
        self._receive = receive
        self._send = send
        self._lifetime = asyncio.timeout(None)

    async def run(self, principal: Principal) -> int:
        """Show the desktop until one of both ends leaves; the close code."""
        with self._services.sockets.until_closed():
            closing = await self._end_of_view(principal)
            if closing is None:
                return LEFT
            await closing.send(self._send)
            return closing.code

    async def _end_of_view(self, principal: Principal) -> Closing | None:
        """Show it to its end, and how the socket closes then; None where its client has left."""
        try:
            async with self._lifetime:
                self._stay_open()
                with self._services.sockets.hold(self._end_now) as held:
                    held.belongs_to(principal.owner_id)
                    return await self._show(principal)
        except TimeoutError:
            drains = self._services.sockets.draining
            return Closing.drained() if drains else Closing.idle()
        except DesktopGone as error:
            return Closing.of(error, _NORMAL)
        except CartritaError as error:
            return Closing.of(error)
        except Exception:
            log.exception("request_failed")
            return Closing.of(CartritaError("Something broke on our side: open another."))

    async def _show(self, principal: Principal) -> Closing | None:
        with self._services.connections.hold(principal):
            async with self._desktop.view(holder_of(principal)) as viewer:
                async with asyncio.TaskGroup() as tasks:
                    shown = tasks.create_task(self._pass_on(viewer))
                    told = tasks.create_task(self._take(viewer))
                    used = tasks.create_task(self._services.desktops.leases.watch(self._session))
                    await asyncio.wait((shown, told), return_when=asyncio.FIRST_COMPLETED)
                    closing = told.result() if told.done() else shown.result()
                    shown.cancel()
                    told.cancel()
                    used.cancel()
                return closing

    async def _pass_on(self, viewer: Viewer) -> Closing:
        """What the desktop says, until its end, or until the page has said what is no RFB."""
        try:
            while data := await viewer.receive():
                self._stay_open()
                with suppress(OSError):
                    await self._send({"type": "websocket.send", "bytes": data})
        except Malformed as error:
            return Closing.of(error, closings.INVALID_DATA)
        return Closing.of(DesktopGone(_ENDED), _NORMAL)

    async def _take(self, viewer: Viewer) -> Closing | None:
        """What the page says, until it leaves or says what is no RFB."""
        while True:
            message = await self._receive()
            self._stay_open()
            if message["type"] == "websocket.disconnect":
                return None
            data = message.get("bytes")
            if data is None:
                error = Malformed("Text means nothing here: send RFB.", code="text_frame")
                return Closing.of(error, closings.INVALID_DATA)
            await viewer.send(data)

    def _stay_open(self) -> None:
        """It is idle only after its whole time from now on."""
        if not self._services.sockets.draining:
            self._end_in(self._idle_s)

    def _end_now(self) -> None:
        self._end_in(0.0)

    def _end_in(self, seconds: float) -> None:
        if not self._lifetime.expired():
            self._lifetime.reschedule(asyncio.get_running_loop().time() + seconds)

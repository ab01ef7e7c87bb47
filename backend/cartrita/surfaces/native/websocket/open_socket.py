"""One open socket, from its first frame to its close frame."""

import asyncio
from contextlib import suppress

import structlog
from starlette.requests import HTTPConnection
from starlette.types import Message, Receive, Send

from cartrita.domain.errors import CartritaError, Malformed, Unauthenticated
from cartrita.domain.principals import Principal
from cartrita.surfaces.native.websocket import closings
from cartrita.surfaces.native.websocket.client_frames import AuthFrame, parse_frame
from cartrita.surfaces.native.websocket.closings import LEFT, Closing, SocketEnded
from cartrita.surfaces.native.websocket.followed_runs import FollowedRuns
from cartrita.surfaces.native.websocket.handshake import principal_of_frame
from cartrita.surfaces.native.websocket.socket_kind import SocketActions, SocketKind, SocketRoom
from cartrita.surfaces.open_sockets import HeldSocket, Visit
from cartrita.surfaces.services import config_of, services_of

log = structlog.get_logger(__name__)


class OpenSocket:
    """An accepted WebSocket. Its frames are handled one after the other, in the order they came.

    It has one deadline at a time: for the first frame, then for the next one while no run is
    followed. When the server is about to stop, that is now, or when its actions are wound up.
    """

    def __init__(
        self, kind: SocketKind, connection: HTTPConnection, receive: Receive, send: Send
    ) -> None:
        self._kind = kind
        self._connection = connection
        self._services = services_of(connection)
        self._limits = config_of(connection).sockets
        self._receive = receive
        self._asgi_send = send
        self._sending = asyncio.Lock()
        self._lifetime = asyncio.timeout(None)
        self._followed: FollowedRuns | None = None
        self._actions: SocketActions | None = None
        self._tasks: asyncio.TaskGroup | None = None

    async def run(self, principal: Principal | None, visit: Visit) -> int:
        """Serve it until it is closed; the close code.

        None as principal waits for a key, and then ends the visit of a caller who is not known.
        """
        with self._services.sockets.until_closed():
            closing = await self._end_of_serving(principal, visit)
            if closing is None:
                return LEFT
            await closing.send(self._send_message)
            return closing.code

    async def _end_of_serving(self, principal: Principal | None, visit: Visit) -> Closing | None:
        """Serve it to its end, and how it closes then; None where its client has left."""
        try:
            async with self._lifetime:
                with self._services.sockets.hold(self._drain) as held:
                    return await self._serve(principal, visit, held)
        except TimeoutError:
            return self._overdue()
        except CartritaError as error:
            return Closing.of(error)
        except SocketEnded as ended:
            return ended.closing
        except Exception:
            log.exception("request_failed")
            return Closing.of(CartritaError("Something broke on our side: open another."))

    async def _serve(
        self, principal: Principal | None, visit: Visit, held: HeldSocket
    ) -> Closing | None:
        if principal is None:
            self._end_in(self._limits.auth_s)
            principal = await self._authenticate()
            visit.end()
        principal.scopes.require_operation(self._kind.operation)
        held.belongs_to(principal.owner_id)
        with self._services.connections.hold(principal):
            return await self._serve_principal(principal)

    async def _serve_principal(self, principal: Principal) -> Closing | None:
        async with asyncio.TaskGroup() as tasks:
            self._followed = FollowedRuns(
                tasks,
                self._services.runs,
                self._send,
                most=self._limits.runs_max,
                on_end=self._await_next_frame,
            )
            self._actions = self._kind.open_actions(
                SocketRoom(
                    self._connection,
                    principal,
                    tasks,
                    self._followed,
                    self._send,
                    self._send_bytes,
                    self._await_next_frame,
                )
            )
            self._tasks = tasks
            try:
                closing = await self._handle_frames(self._actions)
            finally:
                self._tasks = None
            self._actions.stop()
            self._followed.stop()
        return closing

    async def _authenticate(self) -> Principal:
        """Who calls, by the first frame. Raises SocketEnded and CartritaError."""
        frame = parse_frame(await self._first_text()).validated(self._kind.frames)
        if not isinstance(frame, AuthFrame):
            raise Unauthenticated(
                'The first frame must say who calls: send {"type": "auth", "api_key": "..."}.'
            )
        return await principal_of_frame(self._connection, frame)

    async def _handle_frames(self, actions: SocketActions) -> Closing | None:
        try:
            while True:
                await self._handle_frame(actions)
        except SocketEnded as ended:
            return ended.closing

    async def _handle_frame(self, actions: SocketActions) -> None:
        self._await_next_frame()
        try:
            async with asyncio.timeout_at(actions.deadline):
                data = await self._next_frame()
        except TimeoutError:
            await actions.give_up()
            return
        if isinstance(data, str):
            await actions.take(data)
        else:
            await actions.take_bytes(data)

    async def _first_text(self) -> str:
        """The first frame. Raises SocketEnded."""
        data = await self._next_frame()
        if isinstance(data, str):
            return data
        error = Malformed("The first frame must say who calls: send text.", code="binary_frame")
        raise SocketEnded(Closing.of(error, closings.INVALID_DATA))

    async def _next_frame(self) -> str | bytes:
        """The next frame. Raises SocketEnded."""
        message = await self._receive()
        if message["type"] == "websocket.disconnect":
            raise SocketEnded
        text = message.get("text")
        return message["bytes"] if text is None else text

    async def _send(self, frame: str) -> None:
        """Send a frame once there is room for it; nowhere, if the client has left."""
        await self._send_message({"type": "websocket.send", "text": frame})

    async def _send_bytes(self, data: bytes) -> None:
        """The same, as a binary frame."""
        await self._send_message({"type": "websocket.send", "bytes": data})

    async def _send_message(self, message: Message) -> None:
        with suppress(OSError):
            async with self._sending:
                await self._asgi_send(message)

    def _await_next_frame(self) -> None:
        busy = bool(self._followed) or (self._actions is not None and self._actions.busy)
        self._end_in(None if busy else self._limits.idle_s)

    def _end_in(self, seconds: float | None) -> None:
        if self._services.sockets.draining or self._lifetime.expired():
            return
        now = asyncio.get_running_loop().time()
        self._lifetime.reschedule(None if seconds is None else now + seconds)

    def _drain(self) -> asyncio.Task[None] | None:
        """The server is about to stop."""
        if self._tasks is None or self._actions is None:
            self._end_now()
            return None
        return self._tasks.create_task(self._wind_up(self._actions))

    async def _wind_up(self, actions: SocketActions) -> None:
        try:
            await actions.wind_up()
        finally:
            if self._tasks is not None:
                self._end_now()

    def _end_now(self) -> None:
        if not self._lifetime.expired():
            self._lifetime.reschedule(asyncio.get_running_loop().time())

    def _overdue(self) -> Closing:
        if self._services.sockets.draining:
            return Closing.drained()
        if self._followed is None:
            error = Unauthenticated("Nobody said who calls: send your key as the first frame.")
            return Closing.of(error)
        return Closing.idle()

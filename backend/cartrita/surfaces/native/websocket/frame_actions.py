"""What the frames of an authenticated client do."""

from collections.abc import Awaitable

import structlog
from starlette.requests import HTTPConnection

from cartrita.application.keys.own_keys import LOOPBACK_ID
from cartrita.domain.errors import CartritaError, Conflict
from cartrita.domain.principals import Principal
from cartrita.surfaces.inbound_limits import inbound_limits_of
from cartrita.surfaces.native.streams import is_at_end
from cartrita.surfaces.native.websocket.client_frames import (
    AckFrame,
    ApproveFrame,
    AuthFrame,
    CancelFrame,
    ChatFrame,
    ClientFrame,
    PingFrame,
    ReceivedFrame,
    Reference,
    ResumeFrame,
    parse_frame,
)
from cartrita.surfaces.native.websocket.followed_runs import FollowedRuns, SendFrame
from cartrita.surfaces.native.websocket.frame_order import FrameOrder
from cartrita.surfaces.native.websocket.handshake import principal_of_frame
from cartrita.surfaces.native.websocket.server_frames import (
    PongFrame,
    accepted_frame,
    encode,
    error_frame,
)
from cartrita.surfaces.services import services_of

log = structlog.get_logger()

_PONG = encode(PongFrame())


class FrameActions:
    """Does what one client's frames say. What cannot be done is told in an error frame."""

    def __init__(
        self,
        connection: HTTPConnection,
        principal: Principal,
        followed: FollowedRuns,
        send: SendFrame,
    ) -> None:
        self._connection = connection
        self._services = services_of(connection)
        self._limits = inbound_limits_of(connection)
        self._principal = principal
        self._followed = followed
        self._send = send
        self._order = FrameOrder()

    @property
    def deadline(self) -> float | None:
        """When `give_up` is due, by the event loop's clock."""
        return self._order.deadline

    async def take(self, text: str) -> None:
        """Do what a frame says."""
        try:
            received = parse_frame(text)
        except CartritaError as error:
            await self._send(error_frame(error, Reference()))
            return
        await self._try(received.reference, self._act(received))

    async def give_up(self) -> None:
        """Refuse the messages that have waited too long for those before them."""
        for frame, error in self._order.give_up():
            await self._send(error_frame(error, Reference(client_msg_id=frame.client_msg_id)))

    async def _try(self, reference: Reference, work: Awaitable[None]) -> None:
        try:
            await work
        except CartritaError as error:
            await self._send(error_frame(error, reference))
        except Exception:
            log.exception("request_failed", method="frame")
            error = CartritaError("Something broke on our side; the log knows it.")
            await self._send(error_frame(error, reference))

    async def _act(self, received: ReceivedFrame) -> None:
        frame = received.validated()
        if not isinstance(frame, PingFrame | AckFrame):
            self._limits.count_frame(self._principal)
        await self._do(frame)

    async def _do(self, frame: ClientFrame) -> None:
        match frame:
            case ChatFrame():
                await self._take_in_order(frame)
            case ResumeFrame():
                await self._resume(frame)
            case CancelFrame():
                await self._services.runs.cancel(self._principal, frame.run_id)
            case ApproveFrame():
                await self._approve(frame)
            case AuthFrame():
                await self._authenticate_again(frame)
            case PingFrame():
                await self._send(_PONG)
            case AckFrame():
                pass

    async def _take_in_order(self, frame: ChatFrame) -> None:
        for due in self._order.take(frame):
            await self._try(Reference(due.client_msg_id), self._chat(due))

    async def _chat(self, frame: ChatFrame) -> None:
        self._followed.require_room()
        command = frame.to_command(frame.conversation_id)
        admitted = await self._services.runs.start(self._principal, command)
        if frame.client_msg_id is not None:
            await self._send(accepted_frame(frame.client_msg_id, admitted))
        self._followed.follow(admitted.run_id)

    async def _resume(self, frame: ResumeFrame) -> None:
        """Resume a run. The last event of one that has ended is sent again, as its end."""
        run = await self._services.runs.get(self._principal, frame.run_id)
        after = frame.after - 1 if is_at_end(run, frame.after) else frame.after
        self._followed.resume(run.id, after)

    async def _approve(self, frame: ApproveFrame) -> None:
        """Decide on a call; the run goes on, and those who follow it read how. Raises Conflict."""
        await self._services.approvals.decide(
            self._principal,
            frame.run_id,
            frame.approval_id,
            frame.outcome,
            frame.arguments_hash,
        )

    async def _authenticate_again(self, frame: AuthFrame) -> None:
        """Accept the key of the same owner: clients send one also where the handshake has told."""
        keys = self._services.key_authentication
        if self._principal.key_id == LOOPBACK_ID and not keys.may_be_own(frame.api_key):
            return
        found = await principal_of_frame(self._connection, frame)
        if found.owner_id != self._principal.owner_id:
            raise Conflict(
                "This socket is open for somebody else already: open another.",
                code="already_authenticated",
            )

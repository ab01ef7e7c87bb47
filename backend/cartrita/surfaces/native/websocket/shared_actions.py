"""What the frames do that every socket takes."""

from cartrita.application.keys.own_keys import LOOPBACK_ID
from cartrita.domain.errors import Conflict
from cartrita.surfaces.native.request_bodies import RequestModel
from cartrita.surfaces.native.streams import is_at_end
from cartrita.surfaces.native.websocket.client_frames import (
    ApproveFrame,
    AuthFrame,
    CancelFrame,
    PingFrame,
    ResumeFrame,
)
from cartrita.surfaces.native.websocket.handshake import principal_of_frame
from cartrita.surfaces.native.websocket.server_frames import PongFrame, encode
from cartrita.surfaces.native.websocket.socket_kind import SocketRoom
from cartrita.surfaces.services import services_of

_PONG = encode(PongFrame())


class SharedActions:
    """Authenticates again, resumes, cancels, decides, and answers pings."""

    def __init__(self, room: SocketRoom) -> None:
        self._room = room
        self._services = services_of(room.connection)
        self._principal = room.principal

    async def act(self, frame: RequestModel) -> None:
        """Do what a frame of these says; an `ack` says nothing."""
        match frame:
            case ResumeFrame():
                await self._resume(frame)
            case CancelFrame():
                await self._services.runs.cancel(self._principal, frame.run_id)
            case ApproveFrame():
                await self._approve(frame)
            case AuthFrame():
                await self._authenticate_again(frame)
            case PingFrame():
                await self._room.send(_PONG)
            case _:
                pass

    async def _resume(self, frame: ResumeFrame) -> None:
        """Resume a run. The last event of one that has ended is sent again, as its end."""
        run = await self._services.runs.get(self._principal, frame.run_id)
        after = frame.after - 1 if is_at_end(run, frame.after) else frame.after
        self._room.followed.resume(run.id, after)

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
        found = await principal_of_frame(self._room.connection, frame)
        if found.owner_id != self._principal.owner_id:
            raise Conflict(
                "This socket is open for somebody else already: open another.",
                code="already_authenticated",
            )

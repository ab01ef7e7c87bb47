"""What the frames on `/ws/chat` do, and the socket that they make."""

from typing import Final

from cartrita.domain.errors import Malformed
from cartrita.domain.scopes import Operation
from cartrita.surfaces.native.chat_socket.channel import CHAT_CHANNEL
from cartrita.surfaces.native.chat_socket.client_frames import FRAMES, ChatFrame
from cartrita.surfaces.native.chat_socket.frame_order import FrameOrder
from cartrita.surfaces.native.chat_socket.server_frames import accepted_frame
from cartrita.surfaces.native.request_bodies import RequestModel
from cartrita.surfaces.native.websocket import closings
from cartrita.surfaces.native.websocket.client_frames import Reference
from cartrita.surfaces.native.websocket.closings import Closing, SocketEnded
from cartrita.surfaces.native.websocket.frame_attempts import FrameAttempts
from cartrita.surfaces.native.websocket.shared_actions import SharedActions
from cartrita.surfaces.native.websocket.socket_kind import SocketKind, SocketRoom
from cartrita.surfaces.services import services_of


class ChatActions:
    """Answers the messages of one client, in their order."""

    busy = False

    def __init__(self, room: SocketRoom) -> None:
        self._room = room
        self._runs = services_of(room.connection).runs
        self._shared = SharedActions(room)
        self._attempts = FrameAttempts(room, FRAMES, self._act)
        self._order = FrameOrder()

    @property
    def deadline(self) -> float | None:
        """When `give_up` is due, by the event loop's clock."""
        return self._order.deadline

    async def take(self, text: str) -> None:
        """Do what a frame says."""
        await self._attempts.take(text)

    async def take_bytes(self, data: bytes) -> None:
        """Raises SocketEnded: a chat has no binary frames."""
        error = Malformed("Binary frames mean nothing here: send text.", code="binary_frame")
        raise SocketEnded(Closing.of(error, closings.INVALID_DATA))

    async def give_up(self) -> None:
        """Refuse the messages that have waited too long for those before them."""
        for frame, error in self._order.give_up():
            await self._attempts.refuse(error, Reference(client_msg_id=frame.client_msg_id))

    async def wind_up(self) -> None:
        """Nothing is lost: each message was sent, and its run is there, or it was not."""

    def stop(self) -> None:
        """Nothing goes on but runs, which do not end with their socket."""

    async def _act(self, frame: RequestModel) -> None:
        if not isinstance(frame, ChatFrame):
            await self._shared.act(frame)
            return
        for due in self._order.take(frame):
            await self._attempts.attempt(Reference(due.client_msg_id), self._chat(due))

    async def _chat(self, frame: ChatFrame) -> None:
        self._room.followed.require_room()
        command = frame.to_command(frame.conversation_id)
        admitted = await self._runs.start(self._room.principal, command)
        if frame.client_msg_id is not None:
            await self._room.send(accepted_frame(frame.client_msg_id, admitted))
        self._room.followed.follow(admitted.run_id)


CHAT: Final = SocketKind(CHAT_CHANNEL.path, FRAMES, Operation.CHAT, ChatActions)

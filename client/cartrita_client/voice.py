"""A live conversation over a WebSocket, for programs that block."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from cartrita_client.errors import SessionClosed
from cartrita_client.generated.models import ApprovalRequiredData
from cartrita_client.live_connections import LiveConnection
from cartrita_client.returns import Returns
from cartrita_client.settings import Settings
from cartrita_client.sockets import VOICE, auth_of
from cartrita_client.voice_events import VoiceEvent
from cartrita_client.voice_state import VoiceState

if TYPE_CHECKING:
    from cartrita_client.live_state import Command


class VoiceSession:
    """What is said goes in by `send_audio`; iterate over it for what is heard, answered, spoken.

    After a cut it comes back and listens anew, which another `listening` tells: what was said
    meanwhile is lost, and is not sent again. Answers go on where they were; a sentence that the cut
    broke off is spoken again from its beginning. Commands are said again until they are taken.
    After `stop` it ends with the last of what was said. Where the server does not listen, or
    listens no more, it raises the reason, once what was said before is answered. Frames are read
    while it is iterated over; another thread may send.
    """

    def __init__(self, settings: Settings, fields: dict[str, Any]) -> None:
        self._state = VoiceState(auth_of(settings), Returns(settings.resumes), fields)
        self._connection = LiveConnection(settings, self._state, VOICE)

    def send_audio(self, pcm: bytes) -> None:
        """More of what is said: samples of 16 bits. While the connection is cut, they are lost."""
        frames = self._state.sound(pcm)
        self._ensure_begun()
        self._connection.say(lambda: (None, frames))

    def end_turn(self) -> None:
        """What was said is complete: it is answered without waiting for a pause."""
        self._say({"type": "end_turn"})

    def stop_speaking(self) -> None:
        """Answers are spoken no more that are spoken now, or wait to be."""
        self._say({"type": "stop_speaking"})

    def stop(self) -> None:
        """No more is said; what was said is answered still."""
        self._ensure_begun()
        self._connection.say(self._state.stop)

    def cancel(self, run_id: str) -> None:
        """Cancel a run, and return when the server has taken that; its last event tells it."""
        self._do({"type": "cancel", "run_id": run_id})

    def approve(
        self, run_id: str, approval: ApprovalRequiredData, decision: str = "approve"
    ) -> None:
        """Decide on a call that a run waits for. Raises if the decision is not taken."""
        asked = {"approval_id": approval.approval_id, "arguments_hash": approval.arguments_hash}
        self._do({"type": "approve", "run_id": run_id, "decision": decision, **asked})

    def close(self) -> None:
        """Leave; answers that are not at their end go on."""
        self._connection.close()

    def __iter__(self) -> Iterator[VoiceEvent]:
        return self

    def __next__(self) -> VoiceEvent:
        unread = self._state.unread
        while not unread:
            if self._state.ended or self._connection.is_closed:
                raise StopIteration
            if self._state.broken is not None:
                raise self._state.broken
            try:
                self._connection.pump(lambda: bool(unread) or self._state.ended)
            except SessionClosed:
                if not self._connection.is_closed:
                    raise
        return unread.popleft()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _ensure_begun(self) -> None:
        """Connect for the first time; after a cut, whoever reads does it."""
        if self._connection.is_closed:
            raise SessionClosed("The session was closed: open another.")
        if not self._connection.has_opened:
            self._connection.ensure_open()

    def _say(self, frame: dict[str, Any]) -> Command:
        self._ensure_begun()
        return self._connection.say(lambda: self._state.say(frame))

    def _do(self, frame: dict[str, Any]) -> None:
        command = self._say(frame)
        while not command.handled:
            self._connection.pump(lambda: command.handled)
        if command.error is not None:
            raise command.error

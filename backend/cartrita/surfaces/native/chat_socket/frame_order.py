"""The order of a socket's numbered messages: those that come too early are held, within bounds."""

import asyncio

from cartrita.domain.errors import Conflict
from cartrita.surfaces.native.chat_socket.client_frames import ChatFrame

_MOST_HELD = 16
_LONGEST_WAIT_S = 5.0


class FrameOrder:
    """Holds a message until those before it were handled, whatever came of them.

    Numbers count from 1 on each socket. A message without a number is not held, and neither is one
    whose number has passed: its `client_msg_id` makes it one, if it was sent twice.
    """

    def __init__(self, longest_wait_s: float = _LONGEST_WAIT_S) -> None:
        self._longest_wait_s = longest_wait_s
        self._next = 1
        self._held: dict[int, ChatFrame] = {}
        self.deadline: float | None = None
        """When the held messages are given up, by the event loop's clock; None without any."""

    def take(self, frame: ChatFrame) -> list[ChatFrame]:
        """The messages to handle now.

        Raises Conflict for one that is too far ahead, or whose number another one has that waits.
        """
        seq = frame.client_seq
        if seq is None or seq < self._next:
            return [frame]
        if seq > self._next:
            self._hold(seq, frame)
            return []
        due = [frame]
        self._next += 1
        while self._next in self._held:
            due.append(self._held.pop(self._next))
            self._next += 1
        self._restart_wait()
        return due

    def give_up(self) -> list[tuple[ChatFrame, Conflict]]:
        """The messages that were held for too long, which are held no more, and why."""
        given_up = [(self._held[seq], self._gap(seq)) for seq in sorted(self._held)]
        self._held.clear()
        self.deadline = None
        return given_up

    def _hold(self, seq: int, frame: ChatFrame) -> None:
        if self._held.get(seq, frame) != frame or (
            seq not in self._held and len(self._held) >= _MOST_HELD
        ):
            raise self._gap(seq)
        self._held[seq] = frame
        if self.deadline is None:
            self._restart_wait()

    def _restart_wait(self) -> None:
        now = asyncio.get_running_loop().time()
        self.deadline = now + self._longest_wait_s if self._held else None

    def _gap(self, seq: int) -> Conflict:
        return Conflict(
            f"Message {seq} of this socket was not stored, because message {self._next} did not "
            "come: send them in order, from 1 on each socket.",
            code="client_seq_gap",
        )

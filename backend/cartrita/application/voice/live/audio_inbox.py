"""Audio that has arrived and waits for the transcriber, in its order."""

import asyncio
from collections import deque
from enum import Enum
from typing import TypeAlias

from cartrita.domain.errors import Unavailable
from cartrita.domain.speech import PcmFormat


class Mark(Enum):
    """What the client says between two pieces of audio."""

    END_OF_TURN = "end_of_turn"
    END = "end"


Arrival: TypeAlias = bytes | Mark


class AudioInbox:
    """Holds at most `longest_s` seconds of audio, so that a slow transcriber takes no memory.

    What was taken can be `given_back` until it is `forgotten`: another transcriber takes it then.
    """

    def __init__(self, audio: PcmFormat, longest_s: float) -> None:
        self._audio = audio
        self._longest_s = longest_s
        self._waiting: deque[Arrival] = deque()
        self._taken: deque[Arrival] | None = deque()
        self._waiting_bytes = 0
        self._taken_bytes = 0
        self._arrived = asyncio.Event()

    def put(self, arrival: Arrival) -> None:
        """Something has arrived. Raises Unavailable where too much waits already."""
        if isinstance(arrival, bytes):
            if self._audio.seconds(self._waiting_bytes + len(arrival)) > self._longest_s:
                raise Unavailable(
                    "What listens does not keep up with the audio: start again, and send it no "
                    "faster than it is recorded.",
                    code="transcriber_behind",
                )
            self._waiting_bytes += len(arrival)
        self._waiting.append(arrival)
        self._arrived.set()

    async def take(self) -> Arrival:
        """The next that has arrived."""
        while not self._waiting:
            self._arrived.clear()
            await self._arrived.wait()
        arrival = self._waiting.popleft()
        if isinstance(arrival, bytes):
            self._waiting_bytes -= len(arrival)
        self._keep(arrival)
        return arrival

    def give_back(self) -> None:
        """What was taken is to be taken again."""
        if self._taken is not None:
            self._waiting.extendleft(reversed(self._taken))
            self._waiting_bytes += self._taken_bytes
            self._taken, self._taken_bytes = deque(), 0

    def forget(self) -> None:
        """What was taken is used."""
        self._taken, self._taken_bytes = None, 0

    def _keep(self, arrival: Arrival) -> None:
        if self._taken is None:
            return
        self._taken.append(arrival)
        self._taken_bytes += len(arrival) if isinstance(arrival, bytes) else 0
        while self._audio.seconds(self._taken_bytes) > self._longest_s:
            oldest = self._taken.popleft()
            self._taken_bytes -= len(oldest) if isinstance(oldest, bytes) else 0

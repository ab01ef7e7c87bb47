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
    END_THAT_WAS_TOLD = "end_that_was_told"
    """A turn ended here, which was told already: only what was said may still be heard."""
    END = "end"


Arrival: TypeAlias = bytes | Mark


class AudioInbox:
    """Holds at most `longest_s` seconds of audio, so that a slow transcriber takes no memory.

    What was taken is kept until it is forgotten, at most `kept_s` of it: it can be given back, and
    another transcriber takes it then, before what waits.
    """

    def __init__(self, audio: PcmFormat, longest_s: float, kept_s: float) -> None:
        self._audio = audio
        self._longest_s = longest_s
        self._kept_s = kept_s
        self._waiting: deque[Arrival] = deque()
        self._waiting_bytes = 0
        self._kept: deque[Arrival] | None = deque()
        self._kept_bytes = 0
        self._again: deque[Arrival] = deque()
        self._forgotten_bytes = 0
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
        arrival = self._again.popleft() if self._again else await self._take_waiting()
        self._keep(arrival)
        return arrival

    def give_back(self) -> float:
        """What was taken and not forgotten is to be taken again; when it begins, in seconds."""
        if self._kept is not None:
            self._again.extendleft(reversed(self._kept))
            self._kept, self._kept_bytes = deque(), 0
        return self._audio.seconds(self._forgotten_bytes)

    def forget(self) -> None:
        """Nothing is given back any more that was taken, or is going to be."""
        self._kept, self._kept_bytes = None, 0

    def forget_until(self, seconds: float) -> None:
        """What was recorded before is used."""
        until = round(seconds * self._audio.sample_rate) * 2 * self._audio.channels
        while self._kept and self._forgotten_bytes < until:
            oldest = self._kept.popleft()
            if isinstance(oldest, bytes):
                used = oldest[: until - self._forgotten_bytes]
                self._drop(used)
                if len(used) < len(oldest):
                    self._kept.appendleft(oldest[len(used) :])

    def tell_turn(self) -> None:
        """The turn that was ended last was told."""
        if self._kept is not None and Mark.END_OF_TURN in self._kept:
            told = Mark.END_THAT_WAS_TOLD
            self._kept = deque(told if one is Mark.END_OF_TURN else one for one in self._kept)

    async def _take_waiting(self) -> Arrival:
        while not self._waiting:
            self._arrived.clear()
            await self._arrived.wait()
        arrival = self._waiting.popleft()
        if isinstance(arrival, bytes):
            self._waiting_bytes -= len(arrival)
        return arrival

    def _keep(self, arrival: Arrival) -> None:
        if self._kept is None:
            return
        self._kept.append(arrival)
        self._kept_bytes += len(arrival) if isinstance(arrival, bytes) else 0
        while self._audio.seconds(self._kept_bytes) > self._kept_s:
            oldest = self._kept.popleft()
            if isinstance(oldest, bytes):
                self._drop(oldest)

    def _drop(self, audio: bytes) -> None:
        self._kept_bytes -= len(audio)
        self._forgotten_bytes += len(audio)

"""What the running stand-in was told, and what it was asked."""

import asyncio
from collections import deque
from contextlib import suppress
from typing import Final

import msgspec
from tests.harness.deepgram.exchanges import Exchange
from tests.harness.deepgram.faults import Delays, Fault
from tests.harness.deepgram.tones import Words

UNSCRIPTED: Final = "Moss grows on stones."
"""What a person is heard to say where a test has said nothing about it."""


class State:
    """Shared by all connections of one stand-in."""

    def __init__(self, keys: list[str], silence_s: float, flushes: int) -> None:
        self.keys = keys
        self.silence_s = silence_s
        self.flushes = flushes
        self.words = Words()
        self._told = asyncio.Event()
        self.open_sockets = 0
        self.reset()

    def reset(self) -> None:
        """Forget faults, sentences, delays and what was asked; words keep their tones."""
        self.sentences: deque[str] = deque()
        self.faults: list[Fault] = []
        self.delays = Delays()
        self.exchanges: list[Exchange] = []

    async def pause(self) -> None:
        """Wait before an answer, unless other delays are told meanwhile."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._told.wait(), self.delays.answer)

    def delay(self, delays: Delays) -> None:
        """Use these from now on; who waits to answer waits no more."""
        self.delays = delays
        self._told.set()
        self._told = asyncio.Event()

    def next_sentence(self) -> str:
        """What the next person says."""
        return self.sentences.popleft() if self.sentences else UNSCRIPTED

    def take_fault(self, place: str) -> Fault | None:
        """The fault of the next answer at a place, if there is one."""
        for number, fault in enumerate(self.faults):
            if fault.at == place:
                left = msgspec.structs.replace(fault, times=fault.times - 1)
                self.faults[number : number + 1] = [left] if left.times > 0 else []
                return fault
        return None

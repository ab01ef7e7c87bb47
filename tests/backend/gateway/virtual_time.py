"""A clock whose timers are called when a test lets the time pass."""

import asyncio
import heapq
import itertools
from collections.abc import Callable
from typing import Any, cast

_MOST_ROUNDS = 100_000


class VirtualTimer:
    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        self.callback = None


class VirtualTime:
    """`clock` and `later` are those of the event loop, as far as tests can tell."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._numbers = itertools.count()
        self._timers: list[tuple[float, int, VirtualTimer]] = []

    def clock(self) -> float:
        return self.now

    def later(self, seconds: float, callback: Callable[[], None]) -> VirtualTimer:
        timer = VirtualTimer(callback)
        heapq.heappush(self._timers, (self.now + seconds, next(self._numbers), timer))
        return timer

    @property
    def pending(self) -> int:
        """How many timers there are that nobody has cancelled."""
        return sum(timer.callback is not None for _, _, timer in self._timers)

    async def settle(self) -> None:
        """Let all tasks go on as far as they can without time."""
        ready = cast("Any", asyncio.get_running_loop())._ready
        for _ in range(_MOST_ROUNDS):
            await asyncio.sleep(0)
            if not ready:
                return

    async def advance(self, seconds: float) -> None:
        """Let time pass, with all that is due in it."""
        await self.settle()
        end = self.now + seconds
        while self._timers and self._timers[0][0] <= end:
            at, _, timer = heapq.heappop(self._timers)
            if timer.callback is not None:
                self.now = max(self.now, at)
                timer.callback()
                await self.settle()
        self.now = end

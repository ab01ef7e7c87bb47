"""Limits that are counted by each process for itself."""

import time
from collections.abc import Callable

from cartrita.domain.limits import Limit, LimitKey
from cartrita.gateway.pacing import Pace


class PacedGrants:
    """Grants by a pace of this process; implements `Grants`."""

    __slots__ = ("_clock", "_pace")

    def __init__(self, pace: Pace, clock: Callable[[], float]) -> None:
        self._pace = pace
        self._clock = clock

    @property
    def rested(self) -> bool:
        """See `Grants`."""
        return self._pace.rested(self._clock())

    def take(self) -> float:
        """See `Grants`."""
        now = self._clock()
        wait = self._pace.wait(now)
        if not wait:
            self._pace.take(now)
        return wait

    def give_back(self) -> None:
        """See `Grants`."""
        self._pace.give_back()

    def pause(self, seconds: float) -> None:
        """See `Grants`."""
        self._pace.pause(self._clock() + seconds)

    def eta(self, position: int) -> float:
        """See `Grants`."""
        return self._pace.eta(self._clock(), position)


class MemoryGrants:
    """Counts in the memory of this process, which is one of `sharers`; implements `GrantStore`."""

    def __init__(
        self,
        *,
        burst: float = 1.0,
        sharers: int = 1,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._burst = burst
        self._sharers = sharers
        self._clock = clock

    def grants(self, key: LimitKey, limit: Limit | None, wake: Callable[[], None]) -> PacedGrants:
        """See `GrantStore`."""
        share = None if limit is None else limit.share(self._sharers)
        return PacedGrants(Pace(share, self._burst), self._clock)

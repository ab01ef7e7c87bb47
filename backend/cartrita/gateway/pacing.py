"""Pacing: the moments at which the calls under a limit may begin, as they are counted here.

The generic cell rate algorithm: a bucket of `limit.requests * burst` that is refilled evenly. So
any window of `limit.seconds` has at most `limit.requests * (1 + burst)` calls, twice the limit by
default, and calls that go on come at the limit's pace.
"""

from math import floor, inf

from cartrita.domain.limits import Limit


def bucket_ahead(limit: Limit, burst: float) -> float:
    """The seconds by which the calls of a full bucket may begin ahead of an even pace."""
    return (max(1, floor(limit.requests * burst)) - 1) * limit.interval


class Pace:
    """The pace of calls under a limit, or without one; moments are in seconds of any one clock."""

    __slots__ = ("_due", "_interval", "_paused_until", "_tolerance")

    def __init__(self, limit: Limit | None, burst: float = 1.0) -> None:
        self._interval = 0.0 if limit is None else limit.interval
        self._tolerance = 0.0 if limit is None else bucket_ahead(limit, burst)
        self._due = -inf
        self._paused_until = -inf

    def rested(self, now: float) -> bool:
        """Whether the bucket is full, and there is no pause."""
        return max(self._due, self._paused_until) <= now

    def wait(self, now: float) -> float:
        """The seconds until the next call may begin; 0 if it may begin now."""
        return max(self._due - self._tolerance - now, self._paused_until - now, 0.0)

    def take(self, now: float) -> None:
        """A call begins."""
        self._due = max(self._due, now) + self._interval

    def give_back(self) -> None:
        """A call did not begin after all."""
        self._due -= self._interval

    def pause(self, until: float) -> None:
        """No call begins before this moment; then they come at an even pace."""
        self._paused_until = max(self._paused_until, until)
        self._due = max(self._due, until + self._tolerance)

    def eta(self, now: float, position: int) -> float:
        """The seconds until the call at this position, counted from 1, may begin."""
        due = max(self._due, now) + (position - 1) * self._interval
        return max(due - self._tolerance - now, self._paused_until - now, 0.0)

"""Deadlines: when the seconds of an assignment are used up, which ends what is being done."""

from collections.abc import Callable
from typing import Final

SECONDS: Final = "seconds"
"""The cap whose end does not wait for the end of a step."""

CONCLUSION_S: Final = 30.0
"""How long a model may take to conclude when there is less time left, in seconds."""

_RESOLUTION_S: Final = 1e-3


class Deadline:
    """The end of an assignment that began at `started_at`, by `clock`; None is no end."""

    def __init__(self, clock: Callable[[], float], started_at: float, cap: float | None) -> None:
        self._clock = clock
        self._at = None if cap is None else started_at + cap

    @property
    def left(self) -> float | None:
        """Seconds until it, at least 0."""
        return None if self._at is None else max(self._at - self._clock(), 0.0)

    @property
    def passed(self) -> bool:
        """Whether it is there; timers may be early by the resolution of a clock."""
        left = self.left
        return left is not None and left < _RESOLUTION_S

    def within(self, seconds: float) -> float:
        """So many seconds, or those until it if they are fewer."""
        left = self.left
        return seconds if left is None else min(seconds, left)

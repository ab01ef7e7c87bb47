"""A pause from asking something that has failed."""

import time
from collections.abc import Callable


class Pause:
    """Lets all pass until a failure, and then one in `seconds`, until that one succeeds."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._until: float | None = None

    @property
    def over(self) -> bool:
        """Whether it may be asked: there is no pause, or it has lasted long enough."""
        return self._until is None or self._clock() >= self._until

    def hold_others(self) -> None:
        """Somebody tries it again: the others go on pausing until it is known how that went."""
        if self._until is not None:
            self.begin()

    def begin(self) -> None:
        """It has failed, just now."""
        self._until = self._clock() + self._seconds

    def end(self) -> bool:
        """It has succeeded; whether there was a pause."""
        until, self._until = self._until, None
        return until is not None

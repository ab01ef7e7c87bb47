"""How far the sound that was sent is ahead of the ears that hear it."""

from collections.abc import Callable


class Playback:
    """Speech that is played as it arrives, without a pause in what is sent together.

    `clock` is in seconds. Nobody tells how far the listener is: it is taken to play at once.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._ends_at = 0.0

    @property
    def ahead(self) -> float:
        """For how many seconds sound is there that was not heard yet."""
        return max(0.0, self._ends_at - self._clock())

    def add(self, seconds: float) -> None:
        """So much more was sent."""
        self._ends_at = max(self._ends_at, self._clock()) + seconds

    def stop(self) -> None:
        """What was not heard is dropped."""
        self._ends_at = 0.0

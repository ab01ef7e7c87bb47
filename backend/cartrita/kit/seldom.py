"""Things that go wrong again and again, and are told seldom, however often they end in between."""

import time
from collections.abc import Callable, Hashable, Iterable
from typing import Final, TypeVar

_SELDOM_S: Final = 600.0

T = TypeVar("T", bound=Hashable)


class Seldom:
    """Each thing is told once in ten minutes, and so is that all of them are over.

    There must be a bounded number of them: each is remembered.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._told: dict[Hashable, float] = {}
        self._over_told: float | None = None
        self._wrong = False

    def untold(self, things: Iterable[T]) -> list[T]:
        """Those of them that are to be told now."""
        now = self._clock()
        untold = [one for one in things if not self._is_fresh(self._told.get(one), now)]
        self._told.update(dict.fromkeys(untold, now))
        self._wrong = self._wrong or bool(untold)
        return untold

    def over(self) -> bool:
        """All is well; whether that is to be told now: something was told, and not its end."""
        now = self._clock()
        if not self._wrong or self._is_fresh(self._over_told, now):
            return False
        self._over_told = now
        self._wrong = False
        return True

    def _is_fresh(self, told: float | None, now: float) -> bool:
        return told is not None and now - told < _SELDOM_S

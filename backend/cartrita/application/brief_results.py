"""Results that are kept for a short time in the memory of a process."""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class BriefResults(Generic[K, V]):
    """The latest results by key, for `seconds`; of more than `most` the oldest leave."""

    def __init__(
        self, seconds: float, *, most: int = 1000, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._seconds = seconds
        self._most = most
        self._clock = clock
        self._kept: OrderedDict[K, tuple[float, V]] = OrderedDict()

    def get(self, key: K) -> V | None:
        """What was put there, if that was lately."""
        kept = self._kept.get(key)
        if kept is None or kept[0] <= self._clock():
            return None
        return kept[1]

    def put(self, key: K, value: V) -> None:
        """Keep a result from now on."""
        if not self._seconds:
            return
        self._kept.pop(key, None)
        self._kept[key] = (self._clock() + self._seconds, value)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)

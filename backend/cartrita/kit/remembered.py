"""What turned out lately, within a time and a number of keys."""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class RememberedValues(Generic[K, V]):
    """Values that are remembered for `seconds`; of more than `most` the oldest are forgotten.

    For no seconds nothing is.
    """

    def __init__(
        self, seconds: float, *, most: int = 1000, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._seconds = seconds
        self._most = most
        self._clock = clock
        self._kept: OrderedDict[K, tuple[float, V]] = OrderedDict()

    def get(self, key: K) -> V | None:
        """The value of a key, if it was put lately."""
        kept = self._kept.get(key)
        if kept is None or kept[0] <= self._clock():
            return None
        return kept[1]

    def put(self, key: K, value: V) -> None:
        """Remember a value from now on."""
        if not self._seconds:
            return
        self._kept.pop(key, None)
        self._kept[key] = (self._clock() + self._seconds, value)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)


class Remembered(Generic[K]):
    """The same for keys without values."""

    def __init__(
        self, seconds: float, *, most: int = 1000, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._keys = RememberedValues[K, bool](seconds, most=most, clock=clock)

    def add(self, key: K) -> None:
        """Remember a key from now on."""
        self._keys.put(key, True)

    def __contains__(self, key: K) -> bool:
        return self._keys.get(key) is not None

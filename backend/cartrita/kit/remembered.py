"""Remembered keys: what turned out lately, within a time and a number of them."""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

_Key = TypeVar("_Key", bound=Hashable)


class Remembered(Generic[_Key]):
    """Keys that are remembered for `seconds`; of more than `most` the oldest are forgotten."""

    def __init__(
        self,
        seconds: float,
        *,
        most: int = 1000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._seconds = seconds
        self._most = most
        self._clock = clock
        self._until: OrderedDict[_Key, float] = OrderedDict()

    def add(self, key: _Key) -> None:
        """Remember a key from now on."""
        self._until.pop(key, None)
        self._until[key] = self._clock() + self._seconds
        while len(self._until) > self._most:
            self._until.popitem(last=False)

    def __contains__(self, key: _Key) -> bool:
        return bool(self._until) and self._until.get(key, 0.0) > self._clock()

"""Counts of what happened lately, by key, each held to a limit in a time on average."""

import time
from collections.abc import Callable

import msgspec


class Standing(msgspec.Struct, frozen=True):
    """How much of a limit is left, and after how many seconds there is more.

    `taken` is whether what was asked for was counted.
    """

    remaining: int
    reset_s: float
    taken: bool = False


class _Window:
    """The count of the window that began at `start`, and that of the one before it."""

    __slots__ = ("count", "previous", "start")

    def __init__(self, start: float) -> None:
        self.start = start
        self.count = 0
        self.previous = 0

    def move(self, now: float, seconds: float) -> None:
        """Begin another window if this one has ended."""
        passed = now - self.start
        if passed >= 2 * seconds:
            self.start, self.count, self.previous = now, 0, 0
        elif passed >= seconds:
            self.start, self.count, self.previous = self.start + seconds, 0, self.count


class SlidingWindows:
    """Counters in constant time and space for each key.

    A key's first window begins when it is first used, so that its whole limit can be used at once.
    From then on the count of the last window weighs as much as a stretch that ends now reaches back
    into it, rounded down, as if it had come evenly: where it came at the end of its window, a
    stretch may hold almost twice the limit. When `most_keys` have been used, those that were not
    used since so many others are forgotten: no number of keys takes more memory than twice that
    many.
    """

    def __init__(
        self, *, most_keys: int = 20_000, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._most_keys = most_keys
        self._monotonic = monotonic
        self._recent: dict[str, _Window] = {}
        self._older: dict[str, _Window] = {}

    def __len__(self) -> int:
        return len(self._recent) + len(self._older)

    def take(self, key: str, limit: int, seconds: float, amount: int = 1) -> Standing:
        """Count so many more, unless the limit in so many seconds does not allow it.

        What is left after it, or where that stands if nothing was taken.
        """
        now = self._monotonic()
        window = self._window(key, now, seconds)
        left = seconds - (now - window.start)
        remaining = limit - int(window.previous * left / seconds) - window.count - amount
        if remaining < 0:
            return _standing(window, limit, left, seconds)
        window.count += amount
        return Standing(remaining, left, taken=True)

    def add(self, key: str, amount: int, seconds: float) -> None:
        """Count so many more, also beyond a limit, which then has room later."""
        self._window(key, self._monotonic(), seconds).count += amount

    def standing(self, key: str, limit: int, seconds: float) -> Standing:
        """What is left for a key."""
        now = self._monotonic()
        window = self._recent.get(key) or self._older.get(key)
        if window is None:
            return Standing(limit, 0.0)
        window.move(now, seconds)
        return _standing(window, limit, seconds - (now - window.start), seconds)

    def clear(self, key: str) -> None:
        """Forget what was counted for a key."""
        self._recent.pop(key, None)
        self._older.pop(key, None)

    def _window(self, key: str, now: float, seconds: float) -> _Window:
        """The window of a key, now."""
        window = self._recent.get(key)
        if window is None:
            window = self._remember(key, now)
        window.move(now, seconds)
        return window

    def _remember(self, key: str, now: float) -> _Window:
        if len(self._recent) >= self._most_keys:
            self._older, self._recent = self._recent, {}
        window = self._recent[key] = self._older.pop(key, None) or _Window(now)
        return window


def _standing(window: _Window, limit: int, left: float, seconds: float) -> Standing:
    remaining = max(0, limit - int(window.previous * left / seconds) - window.count)
    return Standing(remaining, left if remaining else _wait(window, limit, left, seconds))


def _wait(window: _Window, limit: int, left: float, seconds: float) -> float:
    """The seconds until one more is allowed, if nothing else is counted before."""
    room = limit - window.count
    if room > 0:  # it comes when less of the previous window is counted
        return max(0.0, left - seconds * room / window.previous)
    return left - seconds * room / window.count  # when less of this one is, which then is previous

"""Failed attempts: who has sent too many wrong keys is not answered for a while."""

import time
from collections import deque
from collections.abc import Callable
from typing import Final

from cartrita.domain.errors import RateLimited

LIMITS: Final = ((5, 60.0), (20, 3600.0))
"""So many of them in so many seconds, of one address."""
_LONGEST: Final = 3600.0
_MOST_KNOWN: Final = 10_000


class FailedAttempts:
    """Counts failures by address, in this process."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._failures: dict[str, deque[float]] = {}

    def require_few(self, address: str | None) -> None:
        """Raise RateLimited if an address has failed too often."""
        failures = self._failures.get(address or "")
        if failures is None:
            return
        now = self._monotonic()
        while failures and failures[0] <= now - _LONGEST:
            failures.popleft()
        waits = [
            failures[-most] + seconds - now for most, seconds in LIMITS if len(failures) >= most
        ]
        longest = max(waits, default=0.0)
        if longest > 0:
            raise RateLimited(
                "Too many wrong keys were sent from this address: wait before you send another.",
                code="too_many_wrong_keys",
                retry_after=longest,
            )

    def add(self, address: str | None) -> None:
        """An address has failed."""
        address = address or ""
        failures = self._failures.pop(address, None)
        if failures is None:
            failures = deque[float](maxlen=max(most for most, _ in LIMITS))
            if len(self._failures) >= _MOST_KNOWN:
                del self._failures[next(iter(self._failures))]
        failures.append(self._monotonic())
        self._failures[address] = failures

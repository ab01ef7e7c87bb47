"""When a live session comes back after its connection ended, and when it does not."""

from __future__ import annotations

from cartrita_client.errors import CartritaApiError, CartritaError, SessionClosed
from cartrita_client.retries import RetryPolicy

_FINAL_CLOSES = frozenset({1002, 1003, 1007, 1008, 1009})


class Returns:
    """Counts failures in a row; `told` is what the server said last that belongs to nothing."""

    def __init__(self, policy: RetryPolicy) -> None:
        self.policy = policy
        self.told: CartritaApiError | None = None
        self._failures = 0
        self._drain_s: float | None = None

    def heard(self) -> None:
        """The server is there."""
        self._failures = 0

    def drain(self, wait: object) -> None:
        """The server is about to stop, and says when to come back."""
        self._drain_s = float(wait) if isinstance(wait, int | float) else None

    def closed(self, code: int | None) -> float:
        """After a connection ended: seconds to wait before the next. Raises if there is none."""
        if code in _FINAL_CLOSES:
            raise self.told or SessionClosed(f"The server closed the session ({code}).")
        wait = self._drain_s if self.told is None else self.told.retry_after
        self._drain_s = None
        return self.failed(self.told, wait)

    def failed(self, problem: CartritaError | None, told: float | None = None) -> float:
        """After a connection could not be made: seconds to wait. Raises after too many."""
        self._failures += 1
        if self._failures >= self.policy.attempts:
            raise problem or SessionClosed("The connection broke again and again.")
        if (told or 0) > self.policy.longest_retry_after:
            raise problem or SessionClosed("The server asks to come back much later.")
        return self.policy.delay(self._failures, told)

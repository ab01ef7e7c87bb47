"""Whether and when a failed request is sent again."""

from __future__ import annotations

import os
from dataclasses import dataclass

from cartrita_client.errors import CartritaApiError, CartritaError, TimedOut, Unreachable
from cartrita_client.operations import Operation

_REFUSED_CODES = frozenset({"server_busy", "draining"})
"""A 503 with one of these says that nothing was done."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often a request is sent in all, and how long to wait in between, in seconds.

    A server's Retry-After counts where it is longer, up to `longest_retry_after`; beyond it, the
    error is the caller's.
    """

    attempts: int = 4
    first_delay: float = 0.5
    longest_delay: float = 10.0
    longest_retry_after: float = 60.0

    def delay(self, failures: int, told: float | None = None) -> float:
        """Seconds to wait after so many failures in a row: growing, with jitter."""
        grown = min(self.longest_delay, self.first_delay * float(1 << min(failures - 1, 30)))
        own = grown * (0.5 + 0.5 * int.from_bytes(os.urandom(2)) / 0xFFFF)
        return own if told is None else max(own, told)

    def wait_after(
        self, operation: Operation, failure: CartritaError, failures: int
    ) -> float | None:
        """Seconds until the request may be sent again; None if it is not to be."""
        told = getattr(failure, "retry_after", None)
        if failures >= self.attempts or (told or 0) > self.longest_retry_after:
            return None
        return self.delay(failures, told) if may_repeat(operation, failure) else None


def may_repeat(operation: Operation, failure: CartritaError) -> bool:
    """Whether a request that failed so may be sent again without doing anything twice."""
    match failure:
        case CartritaApiError():
            return _refusal_passes(operation, failure)
        case Unreachable():
            return operation.repeatable or not failure.sent
        case TimedOut():
            return operation.repeatable and not operation.long
        case _:
            return False


def leaves_open(failure: CartritaError) -> bool:
    """Whether the server may have done what it was asked, in spite of this failure."""
    return isinstance(failure, TimedOut) or (isinstance(failure, Unreachable) and failure.sent)


def is_gone(operation: Operation, failure: CartritaError) -> bool:
    """Whether a deletion that was sent again finds nothing there: so it was done the first time."""
    found = isinstance(failure, CartritaApiError) and failure.status == 404
    return found and operation.method == "DELETE" and operation.kind == "nothing"


def _refusal_passes(operation: Operation, failure: CartritaApiError) -> bool:
    if failure.status == 429:
        return True
    if failure.status != 503 or not failure.retryable:
        return False
    return operation.repeatable or failure.code in _REFUSED_CODES

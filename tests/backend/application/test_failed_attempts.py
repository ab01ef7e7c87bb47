"""Failed attempts are counted by address, over a minute and over an hour."""

import pytest

from cartrita.application import failed_attempts
from cartrita.application.failed_attempts import FailedAttempts
from cartrita.domain.errors import RateLimited


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_five_in_a_minute_and_twenty_in_an_hour() -> None:
    clock = Clock()
    attempts = FailedAttempts(clock)
    failed = 0
    for _ in range(4):
        for _ in range(5):
            attempts.require_few("here")
            attempts.add("here")
            failed += 1
        with pytest.raises(RateLimited):
            attempts.require_few("here")
        attempts.require_few("there")
        attempts.require_few(None)
        clock.now += 60
    assert failed == 20
    with pytest.raises(RateLimited) as limited:
        attempts.require_few("here")
    assert limited.value.retry_after == 3600 - 4 * 60
    clock.now += 3600 - 4 * 60
    attempts.require_few("here")


def test_of_too_many_addresses_the_oldest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failed_attempts, "_MOST_KNOWN", 2)
    attempts = FailedAttempts(Clock())
    for address in ("a", "b"):
        for _ in range(5):
            attempts.add(address)
    attempts.add("c")
    attempts.require_few("a")
    with pytest.raises(RateLimited):
        attempts.require_few("b")

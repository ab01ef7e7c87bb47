"""What fails repeatedly is left out for a time, and tried again by one call."""

import pytest
from tests.backend.gateway.fakes import Time, cut, overloaded

from cartrita.domain.errors import (
    UpstreamAuth,
    UpstreamError,
    UpstreamLimited,
    UpstreamQuota,
    UpstreamRejected,
)
from cartrita.gateway import health as health_module
from cartrita.gateway.health import Health, HealthPolicy
from cartrita.gateway.routes import Deployment

A, B = Deployment("a", "m"), Deployment("b", "m")


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def health(time: Time) -> Health:
    return Health(clock=time.clock)


def fail(health: Health, times: int, error: UpstreamError | None = None) -> None:
    for _ in range(times):
        health.started(A)
        health.failed(A, error or overloaded())


def test_five_failures_in_a_row_eject(health: Health, time: Time) -> None:
    fail(health, 4)
    assert health.usable((A, B)) == (A, B)
    fail(health, 1)
    assert health.usable((A, B)) == (B,)
    time.now += 30
    assert health.usable((A, B)) == (A, B)


def test_a_success_between_them_counts_anew(health: Health) -> None:
    fail(health, 4)
    health.succeeded(A)
    fail(health, 4)
    assert health.usable((A, B)) == (A, B)


def test_one_call_tries_it_again(health: Health, time: Time) -> None:
    fail(health, 5)
    time.now += 30
    health.started(A)
    assert health.usable((A, B)) == (B,)
    health.succeeded(A)
    assert health.usable((A, B)) == (A, B)


def test_each_ejection_is_longer_up_to_the_longest(time: Time) -> None:
    health = Health(HealthPolicy(longest_ejection=80), time.clock)
    fail(health, 5)
    for seconds in (30, 60, 80, 80):
        assert health.snapshot()[0].seconds == seconds
        time.now += seconds
        fail(health, 1, cut())


def test_calls_that_began_before_the_ejection_do_not_prolong_it(health: Health, time: Time) -> None:
    fail(health, 5)
    time.now += 30
    fail(health, 3)
    assert health.snapshot()[0].seconds == 60


def test_calls_that_fail_at_once_eject_once(health: Health, time: Time) -> None:
    for _ in range(30):
        health.started(A)
    for _ in range(30):
        health.failed(A, overloaded())
        time.now += 0.1
    time.now += 30
    assert health.usable((A, B)) == (A, B)


def test_the_last_one_is_never_left_out(health: Health) -> None:
    fail(health, 5)
    assert health.usable((A,)) == (A,)
    health.failed(B, overloaded(retry_after=5))
    assert health.usable((A, B)) == (B, A)


def test_a_retry_after_is_a_pause(health: Health, time: Time) -> None:
    health.failed(A, UpstreamLimited("busy", provider="a", retry_after=7))
    assert health.usable((A, B)) == (B,)
    assert health.snapshot()[0].state == "limited"
    time.now += 7
    assert health.usable((A, B)) == (A, B)
    assert health.snapshot()[0].state == "ok"


def test_a_pause_of_a_day_is_not_taken_at_its_word(health: Health, time: Time) -> None:
    health.failed(A, UpstreamLimited("busy", provider="a", retry_after=86_400))
    time.now += HealthPolicy().longest_ejection
    assert health.usable((A, B)) == (A, B)


@pytest.mark.parametrize("error", [UpstreamAuth, UpstreamQuota])
def test_a_credential_that_is_refused_leaves_out_its_provider(
    health: Health, time: Time, error: type[UpstreamError]
) -> None:
    health.failed(A, error("no", provider="a"))
    other = Deployment("a", "n")
    assert health.usable((A, other, B)) == (B,)
    assert health.exhausted("a")
    assert health.snapshot()[0].state == "exhausted"
    time.now += 300
    assert health.usable((A, other, B)) == (A, other, B)
    assert health.snapshot()[0].state == "failing"


def test_a_model_that_the_credential_may_not_call_leaves_out_its_deployment(
    health: Health, time: Time
) -> None:
    health.failed(A, UpstreamAuth("no", provider="a", status=403))
    other = Deployment("a", "n")
    assert health.usable((A, other, B)) == (other, B)
    assert not health.exhausted("a")
    health.succeeded(other)
    assert health.usable((A, other, B)) == (other, B)
    time.now += 300
    assert health.usable((A, other, B)) == (A, other, B)


def test_a_credential_that_works_again_is_used_again(health: Health) -> None:
    health.failed(A, UpstreamQuota("no", provider="a"))
    health.succeeded(A)
    assert not health.exhausted("a")
    assert health.snapshot() == ()


def test_a_refused_request_says_nothing_of_the_deployment(health: Health) -> None:
    fail(health, 9, UpstreamRejected("no", provider="a"))
    assert health.snapshot() == ()


def refused(health: Health, *callers: str) -> None:
    for caller in callers:
        health.failed(A, UpstreamRejected("no", provider="a", status=403), caller)


def test_what_one_caller_sends_says_nothing_of_the_deployment(health: Health) -> None:
    refused(health, *9 * ["ann"], *9 * ["bob"])
    assert health.usable((A, B)) == (A, B)


def test_three_callers_in_a_row_leave_it_out(health: Health, time: Time) -> None:
    refused(health, "ann", "bob")
    health.succeeded(A)
    refused(health, "cat")
    assert health.usable((A, B)) == (A, B)
    refused(health, "ann", "bob")
    assert health.usable((A, B)) == (B,)
    assert health.snapshot()[0].state == "limited"
    time.now += 300
    assert health.usable((A, B)) == (A, B)


def test_it_tells_what_it_knows(health: Health) -> None:
    fail(health, 5)
    told = health.snapshot()[0]
    assert (told.provider, told.model, told.state) == ("a", "m", "ejected")
    assert (told.failures, told.code) == (5, "upstream_overloaded")


def test_it_forgets_the_oldest(health: Health, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health_module, "_MOST_KNOWN", 2)
    for name in "abc":
        health.failed(Deployment(name, "m"), overloaded())
    assert [one.provider for one in health.snapshot()] == ["b", "c"]

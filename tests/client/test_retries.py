"""When a request is sent again, and how long that waits."""

from collections.abc import Mapping

import pytest

from cartrita_client import Unreachable, kinds
from cartrita_client.operations import Operation
from cartrita_client.retries import RetryPolicy, may_repeat
from cartrita_client.retry_headers import retry_after

READ = Operation("get_me", "GET", "/api/me")
ASK = Operation("post_chat", "POST", "/api/chat", repetition="with_key", long=True)
MAKE = Operation("create_key", "POST", "/api/keys", repetition="unsafe")
BUSY = kinds.Unavailable("Busy.", code="server_busy", status=503)
AWAY = kinds.Unavailable("Away.", code="unavailable", status=503)
ENDED = kinds.Interrupted("It ended.", code="interrupted", status=503)
LIMITED = kinds.RateLimited("Later.", code="rate_limited", status=429)
UPSTREAM = kinds.Upstream("It failed.", code="upstream_error", status=502)
NEVER_SENT = Unreachable("Nobody is there.", sent=False)
CUT = Unreachable("It broke.")


@pytest.mark.parametrize(
    ("operation", "again"),
    [
        (READ, {BUSY, AWAY, LIMITED, NEVER_SENT, CUT}),
        (ASK, {BUSY, AWAY, LIMITED, NEVER_SENT, CUT}),
        (MAKE, {BUSY, LIMITED, NEVER_SENT}),
    ],
)
def test_what_is_sent_again(operation: Operation, again: set[Exception]) -> None:
    every = {BUSY, AWAY, ENDED, LIMITED, UPSTREAM, NEVER_SENT, CUT}
    assert {each for each in every if may_repeat(operation, each)} == again


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": " 0.5 "}, 0.5),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "\u00b2"}, None),
        ({"retry-after": "Mon, 01 Jan 99999999999999999999 00:00:00 GMT"}, None),
        (
            {
                "date": "Fri, 01 Jan 1999 00:00:00 GMT",
                "retry-after": "Fri, 01 Jan 1999 00:00:09 GMT",
            },
            9.0,
        ),
        (
            {
                "date": "Fri, 01 Jan 2099 00:00:09 GMT",
                "retry-after": "Fri, 01 Jan 2099 00:00:00 GMT",
            },
            0.0,
        ),
        ({"date": "today", "retry-after": "Fri, 01 Jan 1999 00:00:00 GMT"}, 0.0),
    ],
)
def test_when_to_come_back(headers: Mapping[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds


def test_waits_grow_with_jitter_up_to_a_limit() -> None:
    policy = RetryPolicy(first_delay=1.0, longest_delay=4.0)
    for failures, longest in [(1, 1.0), (2, 2.0), (3, 4.0), (4, 4.0), (500, 4.0)]:
        waits = {policy.delay(failures) for _ in range(200)}
        assert longest / 2 <= min(waits) <= max(waits) <= longest
        assert len(waits) > 1
    assert policy.delay(1, told=9.0) == 9.0


def test_attempts_and_patience_end() -> None:
    policy = RetryPolicy(attempts=2, longest_retry_after=10.0)
    assert policy.wait_after(READ, CUT, 1) is not None
    assert policy.wait_after(READ, CUT, 2) is None
    later = kinds.RateLimited("Later.", code="rate_limited", status=429, retry_after=11.0)
    assert policy.wait_after(READ, later, 1) is None

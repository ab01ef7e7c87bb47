"""The part of error conversion that all dialects share."""

import pytest

from cartrita.dialects.upstream_errors import (
    ErrorBody,
    create_error,
    parse_body,
    retry_after,
    unexpected_content,
)
from cartrita.domain.errors import UpstreamMalformed
from cartrita.kit.secret import Secret

NOW = "Sat, 21 Nov 2026 10:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "2"}, 2.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "86400"}, 86400.0),
        ({"retry-after": "86401"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": ""}, None),
        ({}, None),
        ({"retry-after": "Sat, 21 Nov 2026 10:00:30 GMT", "date": NOW}, 30.0),
        ({"retry-after": "Sat, 21 Nov 2026 09:00:00 GMT", "date": NOW}, None),
        ({"retry-after": "Sat, 21 Nov 2026 10:00:30 GMT"}, None),
        ({"retry-after": "Sat, 21 Nov 2026 10:00:30 -0000", "date": NOW}, None),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after-ms": "-5"}, None),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds
    assert (
        create_error("fake", 429, ErrorBody(), label="429", headers=headers).retry_after == seconds
    )


def test_unexpected_content() -> None:
    found = unexpected_content("fake", 200, "a web page")
    assert type(found) is UpstreamMalformed
    assert "web page" in found.message


def test_secrets_are_masked_but_not_words_that_hold_a_short_one() -> None:
    secrets = (Secret("x"), Secret("letmein"), Secret("correct-horse"))
    told = ErrorBody.masked(secrets, message="It does not exist: correct-horse, letmein.")
    assert told.message == "It does not exist: ***, letmein."


@pytest.mark.parametrize(
    "body",
    [
        b'{"message": NaN}',
        b'{"message": "no", "x": %s1%s}' % (b"[" * 200, b"]" * 200),
        b'{"message": "no", "x": %s}' % (b"9" * 6_000),
        b'{"message": "no"',
        b"\xff",
    ],
)
def test_a_body_that_is_no_json_says_nothing(body: bytes) -> None:
    assert parse_body(body, ()) == ErrorBody()


def test_a_body_may_hold_half_a_surrogate_pair() -> None:
    assert parse_body(b'{"message": "no \\ud83d"}', ()).message == "no \ufffd"


@pytest.mark.parametrize("before", [0, 150, 290, 1190, 70_000])
def test_a_secret_is_masked_wherever_the_message_is_cut(before: int) -> None:
    token = "eyJ" + "aB3dE5fG7h" * 150
    message = f"{'é ' * (before // 2)}refused Authorization={token}, sorry {token}"
    told = ErrorBody.masked((Secret(token),), message=message).message
    assert "eyJ" not in told
    assert told.startswith("é é " if before else "refused Authorization=***")
    assert len(told) <= 300


def test_a_key_that_is_not_ours_is_masked_where_the_message_is_cut() -> None:
    told = ErrorBody.masked((), message="x" * 280 + " Bearer " + "k" * 2000).message
    assert told == "x" * 280 + " ***"

"""Headers that pass a relay, and headers that do not."""

import pytest

from cartrita.adapters.providers.relayed_headers import request_headers, response_headers
from cartrita.kit.secret import Secret


@pytest.mark.parametrize(
    "name",
    [
        *("authorization", "x-api-key", "cookie", "host", "openai-organization", "user-agent"),
        *("idempotency-key", "x-any"),
    ],
)
def test_request_headers_that_stay_here(name: str) -> None:
    assert request_headers({name: "a", "anthropic-beta": "b"}) == {"anthropic-beta": "b"}


@pytest.mark.parametrize(
    "name",
    [
        "request-id",
        "x-request-id",
        "retry-after",
        "x-ratelimit-remaining-tokens",
        "anthropic-ratelimit-requests-reset",
        "openai-processing-ms",
        "content-type",
    ],
)
def test_response_headers_that_pass(name: str) -> None:
    assert response_headers({name: "a", "set-cookie": "b"}, ()) == {name: "a"}


@pytest.mark.parametrize(
    "name", ["set-cookie", "openai-organization", "content-length", "transfer-encoding", "server"]
)
def test_response_headers_that_stay_here(name: str) -> None:
    assert response_headers({name: "a"}, ()) == {}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-request-id", "sk-Secret-Key"),
        ("x-request-id", "req of sk-Secret-Key, 1"),
        ("retry-after", "SK-SECRET-KEY"),
        ("x-ratelimit-sk-secret-key", "1"),
        ("request-id", "the-second-secret"),
        ("request-id", "c2stU2VjcmV0LUtleQ=="),
        ("request-id", "736b2d5365637265742d4b6579"),
    ],
)
def test_a_response_header_with_a_secret_stays_here(name: str, value: str) -> None:
    secrets = (Secret("sk-Secret-Key"), Secret("the-second-secret"))
    passing = {"openai-version": "a"}
    assert response_headers({name: value, **passing}, secrets) == passing


def test_a_secret_that_is_an_ordinary_word_is_none() -> None:
    said = {"content-type": "application/json"}
    assert response_headers(said, (Secret("json"), Secret(""))) == said

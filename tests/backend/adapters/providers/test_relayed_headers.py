"""Headers that pass a relay, and headers that do not."""

import pytest

from cartrita.adapters.providers.relayed_headers import request_headers, response_headers


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
    assert response_headers({name: "a", "set-cookie": "b"}) == {name: "a"}


@pytest.mark.parametrize(
    "name", ["set-cookie", "openai-organization", "content-length", "transfer-encoding", "server"]
)
def test_response_headers_that_stay_here(name: str) -> None:
    assert response_headers({name: "a"}) == {}

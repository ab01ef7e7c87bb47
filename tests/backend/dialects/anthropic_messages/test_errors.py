"""Anthropic's errors become the domain's: by status, by type, and by the words for spent money."""

import json

import pytest

from cartrita.dialects.anthropic_messages.errors import from_frame, from_response
from cartrita.domain.errors import (
    UpstreamAuth,
    UpstreamError,
    UpstreamLimited,
    UpstreamMalformed,
    UpstreamOverloaded,
    UpstreamQuota,
    UpstreamRejected,
)
from cartrita.kit.secret import Secret


def body(kind: str, message: str = "No.", **more: object) -> bytes:
    return json.dumps(
        {"type": "error", "error": {"type": kind, "message": message, **more}}
    ).encode()


@pytest.mark.parametrize(
    ("status", "kind", "error", "retryable"),
    [
        (400, "invalid_request_error", UpstreamRejected, False),
        (401, "authentication_error", UpstreamAuth, False),
        (402, "billing_error", UpstreamQuota, False),
        (403, "permission_error", UpstreamAuth, False),
        (404, "not_found_error", UpstreamRejected, False),
        (409, "conflict_error", UpstreamOverloaded, True),
        (413, "request_too_large", UpstreamRejected, False),
        (429, "rate_limit_error", UpstreamLimited, True),
        (500, "api_error", UpstreamOverloaded, True),
        (504, "timeout_error", UpstreamOverloaded, True),
        (529, "overloaded_error", UpstreamOverloaded, True),
    ],
)
def test_a_response_and_an_event_of_the_same_type_are_the_same_error(
    status: int, kind: str, error: type[UpstreamError], retryable: bool
) -> None:
    of_response = from_response("fake", status, body(kind), {})
    of_event = from_frame("fake", body(kind))
    assert type(of_response) is type(of_event) is error
    assert of_response.retryable == of_event.retryable == retryable
    assert of_response.status == status
    assert of_event.status == (403 if status == 403 else None)
    assert of_response.details["upstream_type"] == kind


@pytest.mark.parametrize(
    ("status", "data"),
    [
        (400, body("invalid_request_error", "Your credit balance is too low to access the API.")),
        (400, body("invalid_request_error", "You have reached your specified API usage limits.")),
        (429, body("rate_limit_error", details={"error_code": "contract_spend_limit_reached"})),
        (429, body("rate_limit_error", "The monthly spend limit is reached.")),
        (403, body("billing_error")),
    ],
)
def test_spent_money_is_not_retried(status: int, data: bytes) -> None:
    error = from_response("fake", status, data, {"retry-after": "3"})
    assert type(error) is UpstreamQuota
    assert not error.retryable


def test_a_ramp_limit_is_retried_when_it_says() -> None:
    data = body("rate_limit_error", details={"error_code": "ramp_limit_exceeded"})
    error = from_response("fake", 429, data, {"retry-after": "3"})
    assert type(error) is UpstreamLimited
    assert error.retry_after == 3
    assert error.details["upstream_code"] == "ramp_limit_exceeded"


def test_what_cometapi_rejects_with_500_is_not_retried() -> None:
    data = b'{"error": {"code": "invalid_request", "message": "no", "type": "comet_api_error"}}'
    assert type(from_response("comet", 500, data, {})) is UpstreamRejected


def test_the_server_decides_whether_to_retry() -> None:
    error = from_response("fake", 529, body("overloaded_error"), {"x-should-retry": "false"})
    assert not error.retryable


def test_keys_are_masked() -> None:
    error = from_response(
        "fake",
        400,
        body("invalid_request_error", "bad sk-ant-12345678 hunter22"),
        {},
        (Secret("hunter22"),),
    )
    assert "sk-ant" not in error.message
    assert "hunter22" not in error.message


def test_a_web_page_is_a_wrong_address() -> None:
    assert type(from_response("fake", 404, b"<html>", {})) is UpstreamMalformed


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b'{"error": "plain words"}', "plain words"),
        (b'{"message": "words"}', "words"),
        (b'{"detail": "words"}', "words"),
        (b"[1]", "400"),
        (b"nothing", "400"),
        (b'{"error": {"message": 5, "details": {}}}', "5"),
    ],
)
def test_other_shapes(data: bytes, words: str) -> None:
    assert words in from_response("fake", 400, data, {}).message


def test_an_event_without_a_known_type_may_be_retried() -> None:
    assert type(from_frame("fake", "{}")) is UpstreamOverloaded

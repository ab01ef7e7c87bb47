"""Errors are rendered with Anthropic's statuses and types."""

import json

import pytest

from cartrita.dialects.anthropic_messages.error_rendering import THREAD_UNSUPPORTED, fields, render
from cartrita.dialects.anthropic_messages.errors import from_response
from cartrita.domain.errors import (
    CartritaError,
    Conflict,
    DeadlineExceeded,
    ErrorKind,
    Forbidden,
    InvalidInput,
    NotFound,
    RateLimited,
    TooLarge,
    Unauthenticated,
    Unavailable,
    UpstreamAuth,
    UpstreamCut,
    UpstreamLimited,
    UpstreamOverloaded,
    UpstreamQuota,
    UpstreamRejected,
)


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (InvalidInput.of("max_tokens", "Field required"), 400, "invalid_request_error"),
        (Unauthenticated("x"), 401, "authentication_error"),
        (UpstreamQuota("x", provider="p"), 402, "billing_error"),
        (Forbidden("x"), 403, "permission_error"),
        (NotFound("x"), 404, "not_found_error"),
        (Conflict("x"), 409, "invalid_request_error"),
        (TooLarge("x"), 413, "request_too_large"),
        (RateLimited("x"), 429, "rate_limit_error"),
        (UpstreamLimited("x", provider="p"), 429, "rate_limit_error"),
        (CartritaError("x"), 500, "api_error"),
        (UpstreamAuth("x", provider="p", status=401), 502, "api_error"),
        (UpstreamCut("x", provider="p"), 502, "api_error"),
        (DeadlineExceeded("x"), 504, "timeout_error"),
        (Unavailable("x"), 529, "overloaded_error"),
        (UpstreamOverloaded("x", provider="p", status=529), 529, "overloaded_error"),
        (UpstreamOverloaded("x", provider="p", status=500), 502, "api_error"),
        (UpstreamRejected("x", provider="p", status=400), 400, "invalid_request_error"),
        (UpstreamRejected("x", provider="p", status=404), 404, "not_found_error"),
        (UpstreamRejected("x", provider="p", status=413), 413, "request_too_large"),
    ],
)
def test_errors(error: CartritaError, status: int, kind: str) -> None:
    rendered_status, body = render(error, "req_1")
    assert rendered_status == status
    assert json.loads(body) == {
        "type": "error",
        "error": {"type": kind, "message": error.message},
        "request_id": "req_1",
    }


def test_the_code_that_clients_read_is_told() -> None:
    error = InvalidInput("x", fields={"thread": ["x"]}, code=THREAD_UNSUPPORTED)
    assert fields(error)["error"] == {
        "type": "invalid_request_error",
        "message": "x",
        "details": {"error_code": "thread_unsupported_request"},
    }


def test_the_code_of_the_provider_is_passed_on() -> None:
    body = b'{"error": {"message": "x", "details": {"error_code": "tool_name_conflict"}}}'
    error = from_response("p", 400, body, {})
    told = fields(error)["error"]
    assert isinstance(told, dict)
    assert told["details"] == {"error_code": "tool_name_conflict"}


def test_every_kind_has_a_status() -> None:
    for kind in ErrorKind:
        error = CartritaError("x")
        error.kind = kind  # pyright: ignore[reportAttributeAccessIssue]  # of this one only
        assert render(error)[0] >= 400
    assert "request_id" not in fields(CartritaError("x"))


def test_a_credential_that_the_caller_brought_is_the_callers_matter() -> None:
    for error, status, kind in (
        (
            UpstreamAuth("x", provider="p", details={"credential": "own"}),
            401,
            "authentication_error",
        ),
        (UpstreamQuota("x", provider="p", details={"credential": "own"}), 402, "billing_error"),
        (UpstreamAuth("x", provider="p"), 502, "api_error"),
    ):
        answered, body = render(error, "req_1")
        assert (answered, json.loads(body)["error"]["type"]) == (status, kind)

"""Errors leave with the status, type, code and param that OpenAI's SDKs expect."""

import json
from typing import Any

import pytest

from cartrita.dialects.openai_error_rendering import render
from cartrita.domain.errors import (
    CartritaError,
    Conflict,
    ErrorKind,
    InvalidInput,
    NotFound,
    RateLimited,
    Unauthenticated,
    UpstreamAuth,
    UpstreamCut,
    UpstreamLimited,
    UpstreamOverloaded,
    UpstreamQuota,
    UpstreamRejected,
)
from cartrita.domain.json import JsonObject


def rendered(error: CartritaError) -> tuple[int, dict[str, Any]]:
    status, body = render(error)
    return status, json.loads(body)["error"]


def test_a_wrong_field_is_named() -> None:
    assert rendered(InvalidInput.of("input[0].role", "No.")) == (
        400,
        {
            "message": "input[0].role: No.",
            "type": "invalid_request_error",
            "param": "input[0].role",
            "code": None,
        },
    )


@pytest.mark.parametrize(
    ("error", "status", "type_", "code"),
    [
        (Unauthenticated("x"), 401, "invalid_request_error", "invalid_api_key"),
        (
            NotFound("x", code="model_not_found"),
            404,
            "invalid_request_error",
            "model_not_found",
        ),
        (Conflict("x"), 409, "invalid_request_error", "conflict"),
        (RateLimited("x"), 429, "rate_limit_exceeded", "rate_limit_exceeded"),
        (
            UpstreamLimited("x", provider="p"),
            429,
            "rate_limit_exceeded",
            "rate_limit_exceeded",
        ),
        (UpstreamQuota("x", provider="p"), 402, "insufficient_quota", "insufficient_quota"),
        (UpstreamAuth("x", provider="p"), 502, "server_error", "upstream_auth"),
        (UpstreamCut("x", provider="p"), 502, "server_error", "upstream_cut"),
        (UpstreamOverloaded("x", provider="p"), 502, "server_error", "upstream_overloaded"),
        (CartritaError("x"), 500, "server_error", "internal"),
    ],
)
def test_the_table(error: CartritaError, status: int, type_: str, code: str) -> None:
    got, body = rendered(error)
    assert (got, body["type"], body["code"]) == (status, type_, code)


def test_what_the_provider_said_of_a_request_is_passed_on() -> None:
    told: JsonObject = {"upstream_code": "model_not_found", "upstream_param": "model"}
    status, body = rendered(UpstreamRejected("x", provider="p", status=404, details=told))
    assert (status, body["code"], body["param"]) == (404, "model_not_found", "model")


def test_every_kind_has_a_status() -> None:
    for kind in ErrorKind:
        error = type("Some", (CartritaError,), {"kind": kind})("x")
        assert rendered(error)[0] >= 400


def test_the_id_of_the_request_stands_beside_the_error() -> None:
    assert json.loads(render(CartritaError("x"), "req_1")[1])["request_id"] == "req_1"


def test_a_credential_that_the_caller_brought_is_the_callers_matter() -> None:
    own: JsonObject = {"credential": "own"}
    refused = rendered(UpstreamAuth("No.", provider="p", status=401, details=own))
    assert (refused[0], refused[1]["type"], refused[1]["code"]) == (
        401,
        "invalid_request_error",
        "upstream_auth",
    )
    assert rendered(UpstreamQuota("No.", provider="p", details=own))[0] == 402

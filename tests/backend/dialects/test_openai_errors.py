"""Statuses and bodies become the domain's errors, in sentences that hold no key."""

import json
from typing import Any

import pytest

from cartrita.dialects import openai_errors as errors
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

KEY = Secret("opaque/key+with=signs")


def answer(status: int, body: Any = None, **headers: str) -> UpstreamError:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return errors.from_response("fake", status, raw, named, (KEY, Secret("")))


def error(**fields: Any) -> dict[str, Any]:
    return {"error": fields}


@pytest.mark.parametrize(
    ("status", "body", "kind", "retryable"),
    [
        (400, error(message="bad", type="invalid_request_error"), UpstreamRejected, False),
        (400, error(message="no money", code="billing_hard_limit_reached"), UpstreamQuota, False),
        (401, error(message="bad key"), UpstreamAuth, False),
        (402, None, UpstreamQuota, False),
        (403, error(message="Your API key may not do this."), UpstreamAuth, False),
        (403, error(message="It was flagged."), UpstreamRejected, False),
        (404, error(message="no model", code="model_not_found"), UpstreamRejected, False),
        (404, b" <html>", UpstreamMalformed, False),
        (405, b"<!doctype html>", UpstreamMalformed, False),
        (408, None, UpstreamOverloaded, True),
        (409, None, UpstreamOverloaded, True),
        (413, None, UpstreamRejected, False),
        (422, {"detail": "bad"}, UpstreamRejected, False),
        (429, error(message="slow", code="rate_limit_exceeded"), UpstreamLimited, True),
        (429, error(message="broke", code="insufficient_quota"), UpstreamQuota, False),
        (429, error(message="broke", type="insufficient_quota"), UpstreamQuota, False),
        (500, error(message="oops"), UpstreamOverloaded, True),
        (500, error(message="bad", code="invalid_request"), UpstreamRejected, False),
        (502, b"<html>bad gateway</html>", UpstreamOverloaded, True),
        (503, b"", UpstreamOverloaded, True),
        (529, error(message="Overloaded", type="overloaded_error"), UpstreamOverloaded, True),
    ],
)
def test_status_and_body_select_the_error(
    status: int, body: Any, kind: type[UpstreamError], retryable: bool
) -> None:
    found = answer(status, body)
    assert type(found) is kind
    assert found.retryable is retryable
    assert found.provider == "fake"
    assert found.status == status
    assert found.message.startswith(("fake ", "The account at fake "))
    assert found.message.endswith((".", "bad", "no model", "slow", "oops", "Overloaded"))


@pytest.mark.parametrize("status", [301, 302, 307])
def test_a_redirect_is_reported_and_not_retried(status: int) -> None:
    found = answer(status, b"", location="https://elsewhere.example/")
    assert type(found) is UpstreamMalformed
    assert not found.retryable
    assert "redirect" in found.message
    assert "elsewhere" not in found.message


@pytest.mark.parametrize(
    ("status", "should_retry", "kind", "retryable"),
    [
        (500, "false", UpstreamOverloaded, False),
        (429, "false", UpstreamLimited, False),
        (400, "true", UpstreamOverloaded, True),
        (400, "perhaps", UpstreamRejected, False),
    ],
)
def test_the_provider_may_say_whether_to_retry(
    status: int, should_retry: str, kind: type[UpstreamError], retryable: bool
) -> None:
    found = answer(status, None, x_should_retry=should_retry)
    assert (type(found), found.retryable) == (kind, retryable)


def test_details_name_the_upstreams_words() -> None:
    found = answer(400, error(message="bad", type="t", code="c", param="messages"))
    assert found.details == {
        "upstream_type": "t",
        "upstream_code": "c",
        "upstream_param": "messages",
        "provider": "fake",
        "upstream_status": 400,
    }


@pytest.mark.parametrize(
    "body",
    [
        error(message="the sentence"),
        {"error": "the sentence"},
        {"message": "the sentence"},
        {"detail": "the sentence"},
        {"error": {"detail": "the sentence"}},
        {"error": {"code": 1}, "message": "the sentence"},
    ],
)
def test_the_sentence_in_every_shape(body: Any) -> None:
    assert answer(400, body).message == "fake did not accept the request (400): the sentence"


@pytest.mark.parametrize("body", [[], None, "", 3, True, error(message=[1]), error(message=True)])
def test_a_body_without_a_sentence(body: Any) -> None:
    assert answer(500, body).message.startswith("fake failed to answer (500)")


def test_an_unreadable_body_is_ignored() -> None:
    for body in (b"\xff\xfe", b"[" * 100_000, b'{"error": {"message": "\\ud800\\u0000x"}}'):
        found = answer(400, body)
        assert "\0" not in found.message
        found.message.encode()


def test_the_sentence_is_short_and_on_one_line() -> None:
    found = answer(400, error(message="a\n b\t" + "c" * 5_000))
    assert "a b c" in found.message
    assert len(found.message) < 400


@pytest.mark.parametrize(
    "leak",
    [
        "Incorrect API key provided: sk-proj-abc***wxyz.",
        "Header was Authorization: Bearer abc.def-ghi",
        "hf_abcdefghijklmnop is not known",
        f"{KEY.reveal()} is not known",
    ],
)
@pytest.mark.parametrize("status", [400, 401, 429, 500])
def test_no_key_gets_into_a_message(leak: str, status: int) -> None:
    found = answer(status, error(message=leak, code=leak, type=leak, param=leak))
    shown = found.message + str(found.details)
    for secret in ("sk-proj", "abc.def", "hf_abc", KEY.reveal()):
        assert secret not in shown
    assert str(status) in shown


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"type": "insufficient_quota"}, UpstreamQuota),
        ({"code": "rate_limit_exceeded"}, UpstreamLimited),
        ({"type": "authentication_error"}, UpstreamAuth),
        ({"type": "invalid_request_error"}, UpstreamRejected),
        ({"code": "context_length_exceeded"}, UpstreamRejected),
        ({"type": "server_error"}, UpstreamOverloaded),
        ({"code": "503"}, UpstreamOverloaded),
        ({"code": 400}, UpstreamRejected),
        ({}, UpstreamOverloaded),
    ],
)
def test_errors_within_a_stream(fields: dict[str, Any], kind: type[UpstreamError]) -> None:
    found = errors.from_frame("fake", json.dumps(error(message="m", **fields)))
    assert type(found) is kind

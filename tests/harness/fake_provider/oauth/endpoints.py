"""The OAuth2 token endpoint: client credentials, by Basic authentication or in the body."""

import base64
import binascii
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

import msgspec
from tests.harness.fake_provider.dialect import Call
from tests.harness.fake_provider.oauth.tokens import CLIENT_ID, CLIENT_SECRET, SCOPES, Tokens
from tests.harness.fake_provider.plain_answer import PlainAnswer
from tests.harness.fake_provider.refusal import Refusal
from tests.harness.fake_provider.steps import Steps

PATH = "/oauth/token"
_FORM = "application/x-www-form-urlencoded"


class OAuthRefusal(Refusal):
    """Answered with `{"error", "error_description"}`, as RFC 6749 has it."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message, status, code)

    def body(self, request_id: str) -> bytes:
        return msgspec.json.encode({"error": self.code, "error_description": self.message})


def answer(call: Call) -> Steps:
    """Return what to do on the socket; raises Refusal."""
    tokens = call.service.tokens
    if call.path != PATH or tokens is None:
        raise OAuthRefusal("not_found", "There is nothing here.", 404)
    if call.request.method != "POST":
        raise OAuthRefusal("invalid_request", "The token endpoint takes POST only.", 405)
    document = _grant(_form(call), call.request.header("authorization"), tokens)
    return PlainAnswer(call, document, answer_to).steps()


def request_id_header() -> str:
    return "x-request-id"


def refuse_script(message: str) -> OAuthRefusal:
    return OAuthRefusal("invalid_request", message)


def answer_to(status: int) -> OAuthRefusal:
    """What an authorization server says with a status that the request is not to blame for."""
    code = {400: "invalid_grant", 401: "invalid_client", 503: "temporarily_unavailable"}
    return OAuthRefusal(code.get(status, "server_error"), "It went wrong as scripted.", status)


def _form(call: Call) -> dict[str, str]:
    content_type = call.request.header("content-type").partition(";")[0].strip().lower()
    if content_type != _FORM:
        raise OAuthRefusal("invalid_request", f"The content type must be {_FORM}.")
    pairs = parse_qsl(call.request.body.decode("utf-8", "replace"), keep_blank_values=True)
    if len(dict(pairs)) < len(pairs):
        raise OAuthRefusal("invalid_request", "A parameter is given twice.")
    return dict(pairs)


def _grant(form: dict[str, str], authorization: str, tokens: Tokens) -> dict[str, Any]:
    if form.get("grant_type") != "client_credentials":
        raise OAuthRefusal("unsupported_grant_type", "Only client_credentials is supported.")
    _check_client(form, authorization)
    scopes = form.get("scope", " ".join(SCOPES)).split()
    if unknown := sorted(set(scopes) - set(SCOPES)):
        raise OAuthRefusal("invalid_scope", f"Unknown scopes: {' '.join(unknown)}.")
    granted = {"access_token": tokens.issue(), "token_type": "Bearer", "scope": " ".join(scopes)}
    lifetime = tokens.terms.expires_in
    return granted if lifetime is None else granted | {"expires_in": lifetime}


def _check_client(form: dict[str, str], authorization: str) -> None:
    in_body = "client_id" in form or "client_secret" in form
    if authorization and in_body:
        raise OAuthRefusal("invalid_request", "The client authenticates in two ways at once.")
    client = (form.get("client_id"), form.get("client_secret"))
    if authorization:
        client = _basic(authorization)
    if client != (CLIENT_ID, CLIENT_SECRET):
        raise OAuthRefusal("invalid_client", "The client is unknown or its secret wrong.", 401)


def _basic(authorization: str) -> tuple[str | None, str | None]:
    scheme, _, encoded = authorization.partition(" ")
    try:
        name, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None, None
    # Both are form-encoded before they are joined (RFC 6749, 2.3.1).
    return (unquote_plus(name), unquote_plus(secret)) if scheme.lower() == "basic" else (None, None)

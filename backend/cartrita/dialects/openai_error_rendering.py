"""Renders errors as OpenAI's APIs do: a status and `{"error": {message, type, param, code}}`."""

from typing import Final

import msgspec

from cartrita.domain.errors import (
    CartritaError,
    ErrorKind,
    InvalidInput,
    UpstreamAuth,
    UpstreamError,
    UpstreamLimited,
    UpstreamQuota,
    UpstreamRejected,
)
from cartrita.domain.json import JsonObject

_INVALID: Final = "invalid_request_error"
_SERVER: Final = "server_error"
_NO_MODEL: Final = "model_not_found"

_BY_KIND: Final[dict[ErrorKind, tuple[int, str]]] = {
    ErrorKind.INVALID: (400, _INVALID),
    ErrorKind.MALFORMED: (400, _INVALID),
    ErrorKind.TOO_LARGE: (413, _INVALID),
    ErrorKind.UNSUPPORTED_MEDIA: (415, _INVALID),
    ErrorKind.UNAUTHENTICATED: (401, _INVALID),
    ErrorKind.FORBIDDEN: (403, _INVALID),
    ErrorKind.NOT_FOUND: (404, _INVALID),
    ErrorKind.CONFLICT: (409, _INVALID),
    ErrorKind.IDEMPOTENCY_MISMATCH: (409, _INVALID),
    ErrorKind.RATE_LIMITED: (429, "rate_limit_exceeded"),
    ErrorKind.BUDGET: (429, "insufficient_quota"),
    ErrorKind.UNAVAILABLE: (503, _SERVER),
    ErrorKind.STORAGE_FULL: (507, _SERVER),
    ErrorKind.DEADLINE: (504, _SERVER),
    ErrorKind.UPSTREAM: (502, _SERVER),
    ErrorKind.UPSTREAM_REJECTED: (400, _INVALID),
    ErrorKind.INTERNAL: (500, _SERVER),
}
_CODES: Final = {
    "unauthenticated": "invalid_api_key",
    "rate_limited": "rate_limit_exceeded",
    "upstream_rate_limited": "rate_limit_exceeded",
    "upstream_quota": "insufficient_quota",
    "budget_exhausted": "insufficient_quota",
    "validation_error": None,
}
"""Our codes that have a word of OpenAI's; all others are sent as they are."""


def render(error: CartritaError, request_id: str | None = None) -> tuple[int, bytes]:
    """The status, and the JSON body that goes with it."""
    status, _ = _classify(error)
    body: JsonObject = {"error": fields(error)}
    if request_id is not None:
        body["request_id"] = request_id
    return status, msgspec.json.encode(body)


def fields(error: CartritaError) -> JsonObject:
    """Message, type, param and code: the content of the envelope, also within a stream."""
    _, type_ = _classify(error)
    code = _CODES.get(error.code, error.code)
    if isinstance(error, UpstreamRejected):
        if error.relayed:  # what the vendor itself says, also that there is no code
            type_, code = _told(error, "type") or type_, None
        code = _told(error, "code") or (_NO_MODEL if error.status == 404 else code)
    return {"message": error.message, "type": type_, "param": _param(error), "code": code}


def _classify(error: CartritaError) -> tuple[int, str]:
    if isinstance(error, UpstreamQuota):
        return 402, "insufficient_quota"
    if isinstance(error, UpstreamLimited):
        return 429, "rate_limit_exceeded"
    if isinstance(error, UpstreamAuth):
        return (401, _INVALID) if error.callers_own else (502, _SERVER)
    if isinstance(error, UpstreamRejected) and error.status in (404, 413, 415, 422):
        return error.status, _INVALID
    return _BY_KIND[error.kind]


def _param(error: CartritaError) -> str | None:
    if isinstance(error, InvalidInput):
        return next(iter(error.fields), None)
    if isinstance(error, UpstreamError):
        return _told(error, "param")
    param = error.details.get("param")
    return param if isinstance(param, str) else None


def _told(error: CartritaError, name: str) -> str | None:
    """What the provider itself said, if it said that."""
    value = error.details.get(f"upstream_{name}")
    return value if isinstance(value, str) else None

"""Renders errors as the Messages API does: a status and an object with type and message."""

from typing import Final

import msgspec

from cartrita.domain.errors import (
    CartritaError,
    ErrorKind,
    UpstreamLimited,
    UpstreamOverloaded,
    UpstreamQuota,
    UpstreamRejected,
)
from cartrita.domain.json import JsonObject, JsonValue

THREAD_UNSUPPORTED: Final = "thread_unsupported_request"
"""Anthropic's code for a request that asks for a thread where there can be none."""

_INVALID: Final = "invalid_request_error"
_API: Final = "api_error"
_OVERLOADED: Final = (529, "overloaded_error")
_NOT_FOUND: Final = (404, "not_found_error")
_TOO_LARGE: Final = (413, "request_too_large")

_BY_KIND: Final[dict[ErrorKind, tuple[int, str]]] = {
    ErrorKind.INVALID: (400, _INVALID),
    ErrorKind.MALFORMED: (400, _INVALID),
    ErrorKind.TOO_LARGE: _TOO_LARGE,
    ErrorKind.UNSUPPORTED_MEDIA: (415, _INVALID),
    ErrorKind.UNAUTHENTICATED: (401, "authentication_error"),
    ErrorKind.FORBIDDEN: (403, "permission_error"),
    ErrorKind.NOT_FOUND: _NOT_FOUND,
    ErrorKind.CONFLICT: (409, _INVALID),
    ErrorKind.IDEMPOTENCY_MISMATCH: (409, _INVALID),
    ErrorKind.RATE_LIMITED: (429, "rate_limit_error"),
    ErrorKind.BUDGET: (402, "billing_error"),
    ErrorKind.UNAVAILABLE: _OVERLOADED,
    ErrorKind.STORAGE_FULL: (507, _API),
    ErrorKind.DEADLINE: (504, "timeout_error"),
    ErrorKind.UPSTREAM: (502, _API),
    ErrorKind.UPSTREAM_REJECTED: (400, _INVALID),
    ErrorKind.INTERNAL: (500, _API),
}


def render(error: CartritaError, request_id: str | None = None) -> tuple[int, bytes]:
    """The status, and the JSON body that goes with it."""
    body = fields(error)
    if request_id is not None:
        body["request_id"] = request_id
    return _classify(error)[0], msgspec.json.encode(body)


def fields(error: CartritaError) -> JsonObject:
    """The content of the envelope, also within a stream."""
    told: JsonObject = {"type": _classify(error)[1], "message": error.message}
    if code := _detail_code(error):
        told["details"] = {"error_code": code}
    return {"type": "error", "error": told}


def _detail_code(error: CartritaError) -> JsonValue:
    """The code by which Anthropic's clients choose the class of an error, if there is one.

    A provider's is passed on where it is about the request.
    """
    if isinstance(error, UpstreamRejected):
        return error.details.get("upstream_code")
    return error.code if error.code == THREAD_UNSUPPORTED else None


def _classify(error: CartritaError) -> tuple[int, str]:
    if isinstance(error, UpstreamQuota):
        return 402, "billing_error"
    if isinstance(error, UpstreamLimited):
        return _BY_KIND[ErrorKind.RATE_LIMITED]
    if error.callers_own:
        return _BY_KIND[ErrorKind.UNAUTHENTICATED]
    if isinstance(error, UpstreamOverloaded) and error.status in (503, 529):
        return _OVERLOADED
    if isinstance(error, UpstreamRejected) and error.status in (404, 413):
        return _NOT_FOUND if error.status == 404 else _TOO_LARGE
    return _BY_KIND[error.kind]

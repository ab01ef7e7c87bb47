"""Converts error responses, and error events within a stream, into the domain's errors.

Both are `{"type": "error", "error": {"type", "message", "details"}, "request_id"}`; compatible
servers also send `{"error": "..."}`, `{"message": "..."}`, `{"detail": "..."}` and a `code`.
"""

import re
from collections.abc import Mapping

from cartrita.dialects import upstream_errors
from cartrita.dialects.upstream_errors import ErrorBody
from cartrita.domain.errors import UpstreamError
from cartrita.domain.json import JsonObject, JsonValue
from cartrita.kit.secret import Secret

_STATUSES = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "conflict_error": 409,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
_QUOTA = re.compile(r"billing|spend_?limit|quota|credit|payment", re.I)
_QUOTA_WORDS = re.compile(r"credit balance|spend(ing)? limit|API usage limits", re.I)


def from_response(
    provider: str,
    status: int,
    body: bytes,
    headers: Mapping[str, str],
    secrets: tuple[Secret, ...] = (),
) -> UpstreamError:
    """The error of a response with an error status; `headers` have lower-case names."""
    error_body = _parse_body(body, secrets)
    return upstream_errors.response_error(
        provider,
        status,
        body,
        headers,
        error_body=error_body,
        equivalent_status=_equivalent_status(status, error_body),
    )


def from_frame(provider: str, data: str | bytes, secrets: tuple[Secret, ...] = ()) -> UpstreamError:
    """The error of an event within a stream, by its type."""
    error_body = _parse_body(data, secrets)
    return upstream_errors.create_error(
        provider,
        _equivalent_status(_STATUSES.get(error_body.type, 500), error_body),
        error_body,
        label=error_body.type or error_body.code or "error",
    )


def _equivalent_status(status: int, body: ErrorBody) -> int:
    quota = body.matches(_QUOTA) or bool(_QUOTA_WORDS.search(body.message))
    return upstream_errors.status_of(status, body, quota=quota and status in (400, 403, 429))


def _parse_body(data: str | bytes, secrets: tuple[Secret, ...]) -> ErrorBody:
    return upstream_errors.parse_body(data, secrets, _code)


def _code(fields: JsonObject) -> JsonValue:
    details = fields.get("details")
    code = details.get("error_code") if isinstance(details, dict) else None
    return code or fields.get("code")

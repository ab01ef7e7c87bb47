"""Converts error responses of OpenAI's APIs, and errors within a stream, into domain errors.

Both contain the same fields in many shapes: `{"error": {"message", "type", "code", "param"}}`,
`{"error": "..."}`, `{"message": "..."}`, `{"detail": "..."}`.
"""

import re
from collections.abc import Mapping

import msgspec

from cartrita.dialects import upstream_errors
from cartrita.dialects.upstream_errors import ErrorBody
from cartrita.domain.errors import UpstreamError
from cartrita.domain.json import JsonObject, JsonValue
from cartrita.kit.secret import Secret

_QUOTA = re.compile(r"insufficient_quota|quota_exceeded|billing|spend|credit|payment", re.I)
_LIMIT = re.compile(r"rate_?limit|too_many_requests", re.I)
_AUTH = re.compile(r"authentication|invalid_api_key|unauthorized|permission|forbidden", re.I)
_REJECTED = re.compile(r"invalid_request|not_found|context_length|bad_?request|validation", re.I)


def from_response(
    provider: str,
    status: int,
    body: bytes,
    headers: Mapping[str, str],
    secrets: tuple[Secret, ...] = (),
) -> UpstreamError:
    """The error of a response with an error status; `headers` have lower-case names."""
    error_body = upstream_errors.parse_body(body, secrets)
    return upstream_errors.response_error(
        provider,
        status,
        body,
        headers,
        error_body=error_body,
        equivalent_status=_equivalent_status(status, error_body),
    )


def from_frame(provider: str, data: str | bytes, secrets: tuple[Secret, ...] = ()) -> UpstreamError:
    """The error of a frame within a stream; a code that is a status precedes the type."""
    error_body = upstream_errors.parse_body(data, secrets)
    status = int(error_body.code) if re.fullmatch(r"[45]\d\d", error_body.code) else None
    return upstream_errors.create_error(
        provider,
        _equivalent_status(status or _status_of_words(error_body), error_body),
        error_body,
        label=error_body.type or error_body.code or "error",
        status=status,
    )


def _equivalent_status(status: int, body: ErrorBody) -> int:
    quota = status in (400, 429) and body.matches(_QUOTA)
    return upstream_errors.status_of(status, body, quota=quota)


def _status_of_words(body: ErrorBody) -> int:
    """The status that an error within a stream would have had as a response."""
    statuses = ((_QUOTA, 402), (_LIMIT, 429), (_AUTH, 401), (_REJECTED, 400))
    return next((status for pattern, status in statuses if body.matches(pattern)), 500)


def from_failure(
    provider: str, error: JsonValue, secrets: tuple[Secret, ...] = ()
) -> UpstreamError:
    """The error of a response that failed: its field `error`, which may be absent."""
    body: JsonObject = {"error": error if isinstance(error, dict) else {"code": "server_error"}}
    return from_frame(provider, msgspec.json.encode(body), secrets)

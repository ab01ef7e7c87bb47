"""Error responses of the native API: the status for each kind of error, and the envelope."""

from typing import Any

from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field
from starlette.requests import HTTPConnection, Request

from cartrita.domain.errors import (
    CartritaError,
    ErrorKind,
    IdempotencyMismatch,
    InvalidInput,
    UpstreamQuota,
)
from cartrita.domain.events import StopStatus
from cartrita.surfaces.error_headers import error_headers
from cartrita.surfaces.framework_errors import MethodNotAllowed
from cartrita.surfaces.native.waiting import AnswerStopped
from cartrita.surfaces.request_limits import REQUEST_TIMEOUT, URI_TOO_LONG
from cartrita.surfaces.sse import HEADERS as STREAM_HEADERS
from cartrita.surfaces.sse import MEDIA_TYPE, reconnect_later

_SERVER_STOPPED = (StopStatus.INTERRUPTED, ErrorKind.INTERNAL)
"""An interruption by anything but this server itself has the kind of its cause."""
STATUS: dict[ErrorKind, int] = {
    ErrorKind.INVALID: 422,
    ErrorKind.MALFORMED: 400,
    ErrorKind.TOO_LARGE: 413,
    ErrorKind.UNSUPPORTED_MEDIA: 415,
    ErrorKind.UNAUTHENTICATED: 401,
    ErrorKind.FORBIDDEN: 403,
    ErrorKind.NOT_FOUND: 404,
    ErrorKind.CONFLICT: 409,
    ErrorKind.IDEMPOTENCY_MISMATCH: 422,
    ErrorKind.RATE_LIMITED: 429,
    ErrorKind.BUDGET: 402,
    ErrorKind.UNAVAILABLE: 503,
    ErrorKind.STORAGE_FULL: 507,
    ErrorKind.DEADLINE: 504,
    ErrorKind.UPSTREAM: 502,
    ErrorKind.UPSTREAM_REJECTED: 400,
    ErrorKind.INTERNAL: 500,
}
_STATUS_BY_CODE = {
    MethodNotAllowed.default_code: 405,
    REQUEST_TIMEOUT: 408,
    URI_TOO_LONG: 414,
}


class ErrorBody(BaseModel):
    """Every error on `/api`."""

    detail: str = Field(description="A sentence that says what to do.")
    error: str = Field(description="The same.")
    code: str = Field(description="Stable, for programs.", examples=["rate_limited"])
    details: dict[str, Any] = Field(description="Further details.")
    request_id: str | None = Field(
        description="Also in X-Request-ID; name it when you ask for help."
    )


class InvalidBody(ErrorBody):
    """An error that names fields."""

    errors: dict[str, list[str]] = Field(description="What is wrong, by field.")


def status_of(error: CartritaError) -> int:
    """The HTTP status of an error, by stop status, code or kind."""
    if error.callers_own:
        return 402 if _is_quota(error) else 401
    if isinstance(error, AnswerStopped):
        if error.stopped.kind is StopStatus.CANCELLED:
            return 409
        if (error.stopped.kind, error.stopped.error_kind) == _SERVER_STOPPED:
            return 503
        return STATUS[error.stopped.error_kind]
    return _STATUS_BY_CODE.get(error.code, STATUS[error.kind])


def _is_quota(error: CartritaError) -> bool:
    """Whether an account has no credit; that of a stopped run is told by its code alone."""
    return isinstance(error, UpstreamQuota) or error.code == UpstreamQuota.default_code


def error_response(request: Request, error: CartritaError) -> Response:
    """Render an error; 503 to an EventSource as a stream that asks it to reconnect."""
    status = status_of(error)
    if status == 503 and _from_event_source(request):
        return Response(reconnect_later(), headers=STREAM_HEADERS)
    return envelope(request, error, status)


def invalid_fields(error: CartritaError) -> dict[str, list[str]] | None:
    """The problems by field, for a 422; None for other errors."""
    if isinstance(error, InvalidInput):
        return error.fields
    if isinstance(error, IdempotencyMismatch):
        return {"Idempotency-Key": [error.message]}
    return None


def _from_event_source(request: Request) -> bool:
    accepts = MEDIA_TYPE in request.headers.get("accept", "")
    return request.method == "GET" and (accepts or "last-event-id" in request.headers)


def envelope(request: HTTPConnection, error: CartritaError, status: int) -> Response:
    """The response to any request."""
    body: dict[str, object] = {
        "detail": error.message,
        "error": error.message,
        "code": error.code,
        "details": error.details,
        "request_id": getattr(request.state, "request_id", None),
    }
    fields = invalid_fields(error)
    if fields is not None:
        body["errors"] = fields
    return JSONResponse(body, status, error_headers(error, status))

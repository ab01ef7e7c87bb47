"""Error responses: the status for each kind of error, and their envelope."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel, Field, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.routing import Match
from starlette.types import Receive, Scope, Send

from cartrita.domain.errors import CartritaError, ErrorKind, IdempotencyMismatch, InvalidInput
from cartrita.domain.events import RunStopped, StopStatus
from cartrita.domain.json import JsonObject
from cartrita.domain.runs import Run
from cartrita.kit import ids
from cartrita.surfaces.request_limits import REQUEST_TIMEOUT, URI_TOO_LONG
from cartrita.surfaces.sse import HEADERS as STREAM_HEADERS
from cartrita.surfaces.sse import MEDIA_TYPE, reconnect_later

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
    ErrorKind.UNAVAILABLE: 503,
    ErrorKind.STORAGE_FULL: 507,
    ErrorKind.DEADLINE: 504,
    ErrorKind.UPSTREAM: 502,
    ErrorKind.UPSTREAM_REJECTED: 400,
    ErrorKind.INTERNAL: 500,
}
_STATUS_BY_CODE = {REQUEST_TIMEOUT: 408, URI_TOO_LONG: 414}
_STATUS_BY_STOP = {StopStatus.CANCELLED: 409, StopStatus.INTERRUPTED: 503}
_ROUTING_CODES = {404: "not_found", 405: "method_not_allowed"}
_DEFAULT_RETRY_S = 2


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


class AnswerStopped(CartritaError):
    """A run that a request waited for ended early; the partial answer is in `details`."""

    def __init__(self, stopped: RunStopped, run: Run, partial: str) -> None:
        details: JsonObject = {
            **stopped.details,
            "run_id": ids.public("run", run.id),
            "conversation_id": ids.public("conv", run.conversation_id),
            "message_id": ids.public("msg", run.message_id),
            "recoverable": stopped.recoverable,
            "partial_response": partial,
        }
        super().__init__(
            stopped.message, code=stopped.code, details=details, retry_after=stopped.retry_after
        )
        self.stopped = stopped


def status_of(error: CartritaError) -> int:
    """The HTTP status of an error, by stop status, code or kind."""
    if isinstance(error, AnswerStopped):
        return _STATUS_BY_STOP.get(error.stopped.kind) or STATUS[error.stopped.error_kind]
    return _STATUS_BY_CODE.get(error.code, STATUS[error.kind])


async def error_response(request: Request, error: Exception) -> Response:
    """Exception handler of CartritaError."""
    assert isinstance(error, CartritaError)
    status = status_of(error)
    if status == 503 and _from_event_source(request):
        return Response(reconnect_later(), headers=STREAM_HEADERS)
    fields = _fields(error)
    headers = _headers(error, status)
    return _envelope(request, status, error.message, error.code, error.details, fields, headers)


async def validation_error_response(request: Request, error: Exception) -> Response:
    """Exception handler of invalid path, query and header values."""
    assert isinstance(error, RequestValidationError)
    return await error_response(request, to_invalid_input(error.errors(), skip=1))


async def http_exception_response(request: Request, error: Exception) -> Response:
    """Exception handler of unknown paths and methods."""
    assert isinstance(error, HTTPException)
    code = _ROUTING_CODES.get(error.status_code, "http_error")
    message = {
        "not_found": "There is nothing at this address: see /docs.",
        "method_not_allowed": "This address does not answer to this method: see /docs.",
    }.get(code, str(error.detail))
    headers = {"Allow": _allowed_methods(request)} if error.status_code == 405 else {}
    return _envelope(request, error.status_code, message, code, {}, None, headers)


def _allowed_methods(request: Request) -> str:
    # Starlette's own Allow header has the methods of the first matching route only.
    contexts = iter_route_contexts(request.app.routes)
    here = [context for context in contexts if context.matches(request.scope)[0] != Match.NONE]
    return ", ".join(sorted({method for context in here for method in context.methods or ()}))


async def send_error(error: Exception, scope: Scope, receive: Receive, send: Send) -> None:
    """Send an error response from middleware. Unexpected errors reveal no details."""
    request = Request(scope)
    if not isinstance(error, CartritaError):
        error = CartritaError("Something broke on our side; the log knows it by this request_id.")
    response = await error_response(request, error)
    await response(scope, receive, send)


def to_invalid_input(errors: Sequence[Any], *, skip: int = 0) -> InvalidInput:
    """Convert Pydantic's ErrorDetails; `skip` omits the first items of each location."""
    fields: dict[str, list[str]] = {}
    for found in errors:
        location = ".".join(str(step) for step in found["loc"][skip:]) or "body"
        fields.setdefault(location, []).append(_problem(found))
    first, problems = next(iter(fields.items()))
    return InvalidInput(f"{first}: {problems[0]}", fields=fields)


def body_to_invalid_input(error: ValidationError) -> InvalidInput:
    """Convert the ValidationError of a request body."""
    return to_invalid_input(error.errors(include_url=False, include_input=False))


def _fields(error: CartritaError) -> dict[str, list[str]] | None:
    """The problems by field, for a 422."""
    if isinstance(error, InvalidInput):
        return error.fields
    if isinstance(error, IdempotencyMismatch):
        return {"Idempotency-Key": [error.message]}
    return None


def _problem(found: Mapping[str, Any]) -> str:
    text = str(found["msg"]).removeprefix("Value error, ")
    return text[:1].lower() + text[1:]


def _from_event_source(request: Request) -> bool:
    accepts = MEDIA_TYPE in request.headers.get("accept", "")
    return request.method == "GET" and (accepts or "last-event-id" in request.headers)


def _headers(error: CartritaError, status: int) -> dict[str, str]:
    headers: dict[str, str] = {}
    if status in (429, 503):
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_after or _DEFAULT_RETRY_S)))
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="cartrita"'
    return headers


def _envelope(
    request: Request,
    status: int,
    message: str,
    code: str,
    details: JsonObject,
    fields: dict[str, list[str]] | None,
    headers: dict[str, str],
) -> Response:
    body: dict[str, object] = {
        "detail": message,
        "error": message,
        "code": code,
        "details": details,
        "request_id": getattr(request.state, "request_id", None),
    }
    if fields is not None:
        body["errors"] = fields
    return JSONResponse(body, status, headers)

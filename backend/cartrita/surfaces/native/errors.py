"""Errors as the native surface answers them: one table from kind to status, one envelope."""

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
from cartrita.surfaces.intake import REQUEST_TIMEOUT, URI_TOO_LONG
from cartrita.surfaces.sse import HEADERS as STREAM_HEADERS
from cartrita.surfaces.sse import MEDIA_TYPE, come_back

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
_BY_CODE = {REQUEST_TIMEOUT: 408, URI_TOO_LONG: 414}
_BY_STOP = {StopStatus.CANCELLED: 409, StopStatus.INTERRUPTED: 503}
_OF_ROUTING = {404: "not_found", 405: "method_not_allowed"}
_DEFAULT_RETRY_S = 2


class ErrorBody(BaseModel):
    """Every error on `/api`."""

    detail: str = Field(description="A sentence that says what to do.")
    error: str = Field(description="The same.")
    code: str = Field(description="Stable, for programs.", examples=["rate_limited"])
    details: dict[str, Any] = Field(description="What there is to know besides.")
    request_id: str | None = Field(
        description="Also in X-Request-ID; name it when you ask for help."
    )


class InvalidBody(ErrorBody):
    """An error that names fields."""

    errors: dict[str, list[str]] = Field(description="What is wrong, by field.")


class AnswerStopped(CartritaError):
    """A run whose answer somebody waited for ended early; what was seen comes along."""

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
    """The status of an error: its stop's, else its code's, else its kind's."""
    if isinstance(error, AnswerStopped):
        return _BY_STOP.get(error.stopped.kind) or STATUS[error.stopped.error_kind]
    return _BY_CODE.get(error.code, STATUS[error.kind])


async def answer(request: Request, error: Exception) -> Response:
    """The handler of every CartritaError."""
    assert isinstance(error, CartritaError)
    status = status_of(error)
    if status == 503 and _from_event_source(request):
        return Response(come_back(), headers=STREAM_HEADERS)
    fields = _fields(error)
    headers = _headers(error, status)
    return _envelope(request, status, error.message, error.code, error.details, fields, headers)


async def answer_invalid(request: Request, error: Exception) -> Response:
    """The handler of path, query and header values that do not fit."""
    assert isinstance(error, RequestValidationError)
    return await answer(request, invalid(error.errors(), skip=1))


async def answer_unrouted(request: Request, error: Exception) -> Response:
    """The handler of addresses and methods that nobody serves."""
    assert isinstance(error, HTTPException)
    code = _OF_ROUTING.get(error.status_code, "http_error")
    sentence = {
        "not_found": "There is nothing at this address: see /docs.",
        "method_not_allowed": "This address does not answer to this method: see /docs.",
    }.get(code, str(error.detail))
    headers = {"Allow": _allowed(request)} if error.status_code == 405 else {}
    return _envelope(request, error.status_code, sentence, code, {}, None, headers)


def _allowed(request: Request) -> str:
    # The router names the methods of the first route that it found, not those of all.
    contexts = iter_route_contexts(request.app.routes)
    here = [context for context in contexts if context.matches(request.scope)[0] != Match.NONE]
    return ", ".join(sorted({method for context in here for method in context.methods or ()}))


async def rescue(error: Exception, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer outside the endpoints; of what nobody expected nothing is told."""
    request = Request(scope)
    if not isinstance(error, CartritaError):
        error = CartritaError("Something broke on our side; the log knows it by this request_id.")
    response = await answer(request, error)
    await response(scope, receive, send)


def invalid(errors: Sequence[Any], *, skip: int = 0) -> InvalidInput:
    """Pydantic's ErrorDetails as one error of ours; `skip` leaves out the head of each place."""
    fields: dict[str, list[str]] = {}
    for found in errors:
        place = ".".join(str(step) for step in found["loc"][skip:]) or "body"
        fields.setdefault(place, []).append(_problem(found))
    first, problems = next(iter(fields.items()))
    return InvalidInput(f"{first}: {problems[0]}", fields=fields)


def invalid_body(error: ValidationError) -> InvalidInput:
    """The same for a body's model."""
    return invalid(error.errors(include_url=False, include_input=False))


def _fields(error: CartritaError) -> dict[str, list[str]] | None:
    """What a 422 says by field."""
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
    sentence: str,
    code: str,
    details: JsonObject,
    fields: dict[str, list[str]] | None,
    headers: dict[str, str],
) -> Response:
    body: dict[str, object] = {
        "detail": sentence,
        "error": sentence,
        "code": code,
        "details": details,
        "request_id": getattr(request.state, "request_id", None),
    }
    if fields is not None:
        body["errors"] = fields
    return JSONResponse(body, status, headers)

"""ASGI middleware for every request: request ids, access log, default headers, unhandled errors.

None of it buffers bodies or frames, so idle streams use almost no memory here.
"""

import re
import time
from collections.abc import Awaitable, Callable, Sequence

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cartrita.domain.errors import CartritaError
from cartrita.kit.ids import uuid7
from cartrita.surfaces.sse import pending_stream

log = structlog.get_logger()

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_CLIENT_VERSION = re.compile(r"[ -~]{1,80}")
_REQUEST_ID_HEADERS = ("X-Request-ID", "Request-ID")
"""Where the SDKs of OpenAI and of Anthropic find the id; the second is sent to those only."""
_FIXED_HEADERS = {
    "Server": "cartrita",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
}
_PROBE_PATHS = frozenset({"/health", "/ready"})
"""Probed every few seconds by monitoring; logged at debug level only."""
_DEFAULT_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}

ErrorResponder = Callable[[Exception, Scope, Receive, Send], Awaitable[None]]
"""Sends the error response for a request that no endpoint has answered."""


class RequestContext:
    """Adds a request id and default headers, and writes one access log line per request.

    Event streams are sent after the endpoint has returned (see `sse.py`).
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        request_id = _request_id(headers)
        scope["state"]["request_id"] = request_id
        structlog.contextvars.bind_contextvars(request_id=request_id)
        names = _REQUEST_ID_HEADERS if _is_of_anthropic(scope, headers) else _REQUEST_ID_HEADERS[:1]
        response = _ResponseRecorder(send, request_id, names)
        try:
            await self.app(scope, receive, response.send)
            stream = pending_stream(scope)
            if stream is not None:
                await stream()
        finally:
            _log_request(scope, response)


class _ResponseRecorder:
    """Adds headers to a response, and records its status and start time for the log."""

    __slots__ = ("_names", "_request_id", "_send", "started_at", "status")

    def __init__(self, send: Send, request_id: str, names: Sequence[str]) -> None:
        self._send = send
        self._request_id = request_id
        self._names = names
        self.started_at = time.monotonic()
        self.status: int | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            for name in self._names:
                headers[name] = self._request_id
            headers.update(_FIXED_HEADERS)
            for name, value in _DEFAULT_HEADERS.items():
                headers.setdefault(name, value)
        await self._send(message)


class ErrorBoundary:
    """Answers errors of the middleware, and unexpected errors of the endpoints.

    An unexpected error becomes a 500 without its message, and is logged with its traceback.
    """

    def __init__(self, app: ASGIApp, respond: ErrorResponder) -> None:
        self.app = app
        self._respond = respond

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def tracking_send(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, receive, tracking_send)
        except ClientDisconnect:
            log.info("client_disconnected", method=scope.get("method"), path=scope["path"])
        except CartritaError as error:
            if started:
                log.warning("response_aborted", path=scope["path"], code=error.code)
                raise  # the server closes the connection, which marks the response as incomplete
            await self._respond(error, scope, receive, send)
        except Exception as error:
            log.exception("request_failed", method=scope.get("method"), path=scope["path"])
            if started or scope["type"] != "http":
                raise
            await self._respond(error, scope, receive, send)


def _request_id(headers: Headers) -> str:
    given = headers.get("x-request-id", "")
    return given if _REQUEST_ID.fullmatch(given) else f"req_{uuid7().hex}"


def _is_of_anthropic(scope: Scope, headers: Headers) -> bool:
    """Whether a request is one of Anthropic's API."""
    return scope["path"].startswith("/v1/messages") or "anthropic-version" in headers


def _log_request(scope: Scope, response: _ResponseRecorder) -> None:
    # Without the query: its values are content, and sometimes secrets.
    version = Headers(scope=scope).get("x-client-version", "")
    write = log.debug if scope["path"] in _PROBE_PATHS else log.info
    write(
        "request_answered",
        method=scope["method"],
        path=scope["path"],
        status=response.status,
        seconds=round(time.monotonic() - response.started_at, 4),
        client_version=version if _CLIENT_VERSION.fullmatch(version) else None,
    )

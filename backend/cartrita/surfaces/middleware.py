"""ASGI middleware for every request: request ids, access log, default headers, unhandled errors.

None of it buffers bodies or frames, so idle streams use almost no memory here.
"""

import logging
import re
import time
from collections.abc import Awaitable, Callable, Container
from typing import TypeAlias

import structlog
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cartrita.domain.errors import CartritaError
from cartrita.domain.ports.metrics import RequestCounts
from cartrita.domain.uncounted import UNCOUNTED
from cartrita.kit import ids
from cartrita.surfaces.counted_routes import route_of
from cartrita.surfaces.cut_answers import CLIENT_DISCONNECTED, cut_of, mark_cut
from cartrita.surfaces.log_keys import bind_request
from cartrita.surfaces.rate_limit_fields import rate_limit_fields
from cartrita.surfaces.services import config_in
from cartrita.surfaces.sse import pending_stream
from cartrita.surfaces.surface_names import surface_of

log = structlog.get_logger(__name__)

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._:-]{1,128}")
_CLIENT_VERSION = re.compile(r"[ -~]{1,32}")  # every key that a client could send is longer
_REQUEST_ID_HEADERS = (b"x-request-id", b"request-id")
"""Where the SDKs of OpenAI and of Anthropic find the id; the second is sent to those only."""
_FIXED_HEADERS = (
    (b"server", b"cartrita"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_FIXED_NAMES = frozenset((*_REQUEST_ID_HEADERS, *(name for name, _ in _FIXED_HEADERS)))
PROBE_PATHS = frozenset({"/health", "/ready"})
"""Probed every few seconds by monitoring; logged at debug level only, and not limited."""
_DEFAULT_HEADERS = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)

RawHeaders: TypeAlias = list[tuple[bytes, bytes]]

ErrorResponder = Callable[[Exception, Scope, Receive, Send], Awaitable[None]]
"""Sends the error response for a request that no endpoint has answered."""


class RequestContext:
    """Adds a request id and default headers, counts, and writes one access log line per request.

    Event streams are sent after the endpoint has returned (see `sse.py`).
    """

    def __init__(self, app: ASGIApp, counts: RequestCounts = UNCOUNTED) -> None:
        self.app = app
        self._counts = counts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        request_id = request_id_of(headers.get(b"x-request-id"))
        scope["state"]["request_id"] = request_id
        surface = surface_of(scope["path"], headers)
        bind_request(request_id, surface)
        response = _ResponseRecorder(
            send, scope, request_id_headers(scope["path"], headers, request_id)
        )
        try:
            await self.app(scope, receive, response.send)
            stream = pending_stream(scope)
            if stream is not None:
                await stream()
        finally:
            seconds = time.monotonic() - response.started_at
            route = route_of(scope)
            self._counts.answered(surface, scope["method"], route, response.status, seconds)
            log_request(scope, response.status, seconds)


class _ResponseRecorder:
    """Adds headers to a response, and records its status and start time for the log."""

    __slots__ = ("_request_id", "_scope", "_send", "started_at", "status")

    def __init__(self, send: Send, scope: Scope, request_id: RawHeaders) -> None:
        self._send = send
        self._scope = scope
        self._request_id = request_id
        self.started_at = time.monotonic()
        self.status: int | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            add_default_headers(message, self._scope, self._request_id)
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
        except Exception as error:  # noqa: BLE001 - answered or raised again
            await answer_error(error, started, self._respond, scope, receive, send)


async def answer_error(
    error: Exception,
    started: bool,
    respond: ErrorResponder,
    scope: Scope,
    receive: Receive,
    send: Send,
) -> None:
    """Answer an error that no endpoint has answered, with a 500 if it was not expected.

    Raises it once the response has `started`: then the server closes the connection, which marks
    the response as incomplete, and so does the line in the log about the request.
    """
    if isinstance(error, ClientDisconnect):
        mark_cut(scope, CLIENT_DISCONNECTED)
        log.info("client_disconnected", method=scope.get("method"), path=scope["path"])
        return
    if isinstance(error, CartritaError):
        if started:
            log.warning("response_aborted", path=scope["path"], code=error.code)
    else:
        log.error("request_failed", method=scope.get("method"), path=scope["path"], exc_info=error)
    if started or scope["type"] != "http":
        mark_cut(scope, error.code if isinstance(error, CartritaError) else "internal")
        raise error
    await respond(error, scope, receive, send)


def request_id_of(given: bytes | None) -> str:
    """The request id that a client gave, or a new one."""
    if given is None or not _REQUEST_ID.fullmatch(given):
        return ids.fresh("req")
    return given.decode("ascii")


def request_id_headers(path: str, headers: Container[bytes], request_id: str) -> RawHeaders:
    """The headers that tell the id of a request with these headers to its sender."""
    value = request_id.encode("ascii")
    if path.startswith("/v1/messages") or b"anthropic-version" in headers:
        return [(name, value) for name in _REQUEST_ID_HEADERS]
    return [(_REQUEST_ID_HEADERS[0], value)]


def add_default_headers(start: Message, scope: Scope, request_id: RawHeaders) -> None:
    """Add the headers that every response has to the start of one, and those of limits."""
    headers: RawHeaders = start["headers"]
    names = {name for name, _ in headers}
    if not names.isdisjoint(_FIXED_NAMES):
        headers = [one for one in headers if one[0] not in _FIXED_NAMES]
    defaults = [one for one in _DEFAULT_HEADERS if one[0] not in names]
    start["headers"] = [
        *headers,
        *request_id,
        *_FIXED_HEADERS,
        *defaults,
        *rate_limit_fields(scope),
        *_transport_security(scope),
    ]


def _transport_security(scope: Scope) -> RawHeaders:
    """That a browser which came by https comes by it again, where that is configured."""
    if scope.get("scheme") != "https":
        return []
    seconds = int(config_in(scope).hsts_s)
    return [(b"strict-transport-security", b"max-age=%d" % seconds)] if seconds else []


def logs_requests() -> bool:
    """Whether requests are logged, those of probes aside."""
    return log.bind().is_enabled_for(logging.INFO)


def log_request(scope: Scope, status: int | None, seconds: float) -> None:
    """Write the line about a request in the log.

    It has no query, whose values are content, and sometimes secrets. An answer that was `cut` has
    the status that it began with.
    """
    cut = cut_of(scope)
    version = Headers(scope=scope).get("x-client-version", "")
    write = log.debug if scope["path"] in PROBE_PATHS else log.info
    write(
        "request_answered",
        method=scope["method"],
        path=scope["path"],
        status=status,
        seconds=round(seconds, 4),
        client_version=version if _CLIENT_VERSION.fullmatch(version) else None,
        **({} if cut is None else {"cut": cut}),
    )

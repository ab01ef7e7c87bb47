"""What surrounds every request, as plain ASGI: its id, its log line, its headers, the last resort.

None of it holds a body or a frame, so an idle stream costs next to nothing here.
"""

import re
import time
from collections.abc import Awaitable, Callable

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cartrita.domain.errors import CartritaError
from cartrita.kit.ids import uuid7
from cartrita.surfaces.sse import left_to_be_sent

log = structlog.get_logger()

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_CLIENT_VERSION = re.compile(r"[ -~]{1,80}")
_STANDING = {
    "Server": "cartrita",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
}
_PROBES = frozenset({"/health", "/ready"})
"""Asked every few seconds by whatever watches us: their lines would bury the others."""
_UNLESS_SAID = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}

Rescue = Callable[[Exception, Scope, Receive, Send], Awaitable[None]]
"""Answers a request that no endpoint answered."""


class RequestContext:
    """Gives each request its id, each answer its standing headers, and the log one line.

    Sends event streams after the request is done (see sse.py).
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = _request_id(Headers(scope=scope))
        scope["state"]["request_id"] = request_id
        structlog.contextvars.bind_contextvars(request_id=request_id)
        answer = _Answer(send, request_id)
        try:
            await self.app(scope, receive, answer.send)
            stream = left_to_be_sent(scope)
            if stream is not None:
                await stream()
        finally:
            _tell(scope, answer)


class _Answer:
    """Passes an answer on, adds headers, and remembers what the log line says of it."""

    __slots__ = ("_request_id", "_send", "began", "status")

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self._request_id = request_id
        self.began = time.monotonic()
        self.status: int | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers["X-Request-ID"] = self._request_id
            headers.update(_STANDING)
            for name, value in _UNLESS_SAID.items():
                headers.setdefault(name, value)
        await self._send(message)


class LastResort:
    """Answers what went wrong outside the endpoints, and what nobody expected anywhere.

    The latter becomes a 500 without its text, and a logged traceback.
    """

    def __init__(self, app: ASGIApp, rescue: Rescue) -> None:
        self.app = app
        self._rescue = rescue

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except ClientDisconnect:
            log.info("caller_left", method=scope.get("method"), path=scope["path"])
        except CartritaError as error:
            if started:
                log.warning("answer_broken_off", path=scope["path"], code=error.code)
                raise  # the server breaks the connection off, so that nobody takes it for whole
            await self._rescue(error, scope, receive, send)
        except Exception as error:
            log.exception("request_failed", method=scope.get("method"), path=scope["path"])
            if started or scope["type"] != "http":
                raise
            await self._rescue(error, scope, receive, send)


def _request_id(headers: Headers) -> str:
    given = headers.get("x-request-id", "")
    return given if _REQUEST_ID.fullmatch(given) else f"req_{uuid7().hex}"


def _tell(scope: Scope, answer: _Answer) -> None:
    # The path without its query: values in a query are content, and sometimes secrets.
    version = Headers(scope=scope).get("x-client-version", "")
    tell = log.debug if scope["path"] in _PROBES else log.info
    tell(
        "request_answered",
        method=scope["method"],
        path=scope["path"],
        status=answer.status,
        seconds=round(time.monotonic() - answer.began, 4),
        client_version=version if _CLIENT_VERSION.fullmatch(version) else None,
    )

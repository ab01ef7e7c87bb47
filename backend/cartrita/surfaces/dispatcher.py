"""Answers the hot paths before FastAPI and its middleware see their requests.

A request through FastAPI costs 140 us and 30 KiB more, and each middleware 15 us and a frame for
every event of a stream. So the plain requests for hot paths, which are nearly all of them, have one
frame that does what the middleware does for the others.
"""

import time
from collections.abc import Awaitable, Mapping
from types import MappingProxyType

from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cartrita.domain.ports.metrics import RequestCounts
from cartrita.domain.uncounted import UNCOUNTED
from cartrita.surfaces.hot_paths import HotPath, HotPathTable
from cartrita.surfaces.log_keys import bind_request
from cartrita.surfaces.middleware import (
    ErrorResponder,
    RawHeaders,
    add_default_headers,
    answer_error,
    log_request,
    logs_requests,
    request_id_headers,
    request_id_of,
)
from cartrita.surfaces.request_limits import LimitedBody
from cartrita.surfaces.services import SurfaceConfig
from cartrita.surfaces.sse import pending_stream
from cartrita.surfaces.surface_names import surface_of

_NOT_PLAIN = frozenset({b"transfer-encoding", b"expect"})
_WITHOUT_VERSION = {name: f"/v1{name}" for name in ("/chat/completions", "/models")}
"""What OpenAI's clients ask for if their base URL does not end in `/v1`."""


class Dispatcher:
    """The outermost ASGI application: it answers plain requests for the endpoints of a table.

    `sockets` answer WebSockets, by path; a path that ends in a slash is of all right below it.

    Requests with a query, a repeated header, a body of unknown or forbidden length, or from pages
    of other origins are left to `app`, as all those for other endpoints.
    """

    def __init__(
        self,
        app: FastAPI,
        table: HotPathTable,
        config: SurfaceConfig,
        respond: ErrorResponder,
        sockets: Mapping[str, ASGIApp] = MappingProxyType({}),
        counts: RequestCounts = UNCOUNTED,
    ) -> None:
        self._app = app
        self._paths = table
        self._surfaces = {path.path: surface_of(path.path) for path in table.values()}
        self._count = counts.answered
        self._max_bytes = config.v1_body_max_bytes
        self._seconds = config.body_timeout_s
        self._other_origins = bool(config.cors_origins)
        self._respond = respond
        self._sockets = sockets
        self._logs = logs_requests()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path = _WITHOUT_VERSION.get(scope["path"])
            if path is not None:
                scope = {**scope, "path": path, "raw_path": path.encode()}
            hot = self._paths.get((scope["method"], scope["path"]))
            if hot is not None and not scope["query_string"]:
                headers: dict[bytes, bytes] = dict(scope["headers"])
                if self._is_plain(scope, headers):
                    scope["app"] = self._app
                    await self._answer(hot, headers, scope, receive, send)
                    return
        elif scope["type"] == "websocket":
            asked: str = scope["path"]
            folder = asked[: asked.rfind("/") + 1]
            socket = self._sockets.get(asked) or self._sockets.get(folder)
            if socket is not None:
                scope["app"] = self._app
                await socket(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _is_plain(self, scope: Scope, headers: dict[bytes, bytes]) -> bool:
        if len(headers) != len(scope["headers"]) or (self._other_origins and b"origin" in headers):
            return False
        length = headers.get(b"content-length", b"")
        if not (length.isdigit() and _NOT_PLAIN.isdisjoint(headers)):
            return False
        return len(length) < 16 and int(length) <= self._max_bytes

    async def _answer(
        self,
        hot: HotPath,
        headers: dict[bytes, bytes],
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        request_id = request_id_of(headers.get(b"x-request-id"))
        scope["state"]["request_id"] = request_id
        surface = self._surfaces[hot.path]
        bind_request(request_id, surface)
        body = LimitedBody(scope, receive, self._max_bytes, self._seconds)
        response = _Response(
            send, scope, body, request_id_headers(scope["path"], headers, request_id)
        )
        try:
            await hot.handler(_PlainRequest(scope, headers), body.receive, response.send)
            if (stream := pending_stream(scope)) is not None:
                await stream()
        except Exception as error:  # noqa: BLE001 - as the last of the middleware does
            started = response.status is not None
            await answer_error(error, started, self._respond, scope, body.receive, response.send)
        finally:
            seconds = time.monotonic() - response.started_at
            self._count(surface, hot.method, hot.path, response.status, seconds)
            if self._logs:
                log_request(scope, response.status, seconds)


class _PlainRequest(HTTPConnection):
    """A request that repeats no header, so that each is found at once instead of by a search."""

    def __init__(self, scope: Scope, headers: dict[bytes, bytes]) -> None:
        super().__init__(scope)
        self._plain_headers = _PlainHeaders(scope, headers)

    @property
    def headers(self) -> Headers:
        return self._plain_headers


class _PlainHeaders(Headers):
    """Headers of which none is repeated."""

    def __init__(self, scope: Scope, by_name: dict[bytes, bytes]) -> None:
        self._list = scope["headers"]
        self._by_name = by_name

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and key.lower().encode("latin-1") in self._by_name

    def __getitem__(self, key: str) -> str:
        return self._by_name[key.lower().encode("latin-1")].decode("latin-1")


class _Response:
    """Adds the default headers to a response, and reads the rest of the body before its start."""

    __slots__ = ("_body", "_request_id", "_scope", "_send", "started_at", "status")

    def __init__(self, send: Send, scope: Scope, body: LimitedBody, request_id: RawHeaders) -> None:
        self._send = send
        self._scope = scope
        self._body = body
        self._request_id = request_id
        self.started_at = time.monotonic()
        self.status: int | None = None

    def send(self, message: Message) -> Awaitable[None]:
        """Send a message; those of the body take no frame of their own."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            add_default_headers(message, self._scope, self._request_id)
        if self._body.complete:
            return self._send(message)
        return self._body.respond(message, self._send)

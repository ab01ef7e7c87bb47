"""Limits on the length of request URLs, and on the size and duration of request bodies.

Before a response is sent, the unread rest of the body is read and discarded for a limited time:
closing a connection with unread data resets it, and the caller would lose the response. To a body
that says itself that it is too long the response is sent first, and the rest is read after it.
"""

import asyncio
from collections.abc import Awaitable, Mapping
from contextlib import suppress
from math import inf
from types import MappingProxyType
from typing import NamedTuple

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cartrita.domain.errors import CartritaError, DeadlineExceeded, TooLarge
from cartrita.surfaces.middleware import ErrorResponder

BODY_ARRIVED = "body_arrived"
"""In the state of a request: whether all of its body has arrived, where the server tells that."""
REQUEST_TIMEOUT = "request_timeout"
URI_TOO_LONG = "uri_too_long"


class RequestLimits:
    """ASGI middleware that enforces the limits.

    Errors of a body must be answered by `app`, whose response waits for the rest of the body; that
    of the address is answered here. `max_bytes` limits the body, and `v1_max_bytes` that of a
    request below `/v1`, which may hold images. `seconds` limits the time until it has arrived
    completely, and `max_url` the bytes of path and query. `uploads` have limits of their own, by
    path. What is only discarded has `seconds` in any case.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        respond: ErrorResponder,
        max_bytes: int,
        v1_max_bytes: int,
        seconds: float,
        max_url: int,
        uploads: Mapping[str, "BodyLimit"] = MappingProxyType({}),
    ) -> None:
        self.app = app
        self._respond = respond
        self._native = BodyLimit(max_bytes, seconds)
        self._v1 = BodyLimit(v1_max_bytes, seconds)
        self._seconds = seconds
        self._max_url = max_url
        self._uploads = uploads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            if len(scope["query_string"]) + len(scope["path"]) > self._max_url:
                error = TooLarge(
                    "The address is too long: send this as POST with a JSON body.",
                    code=URI_TOO_LONG,
                )
                await self._respond(error, scope, receive, send)
                return
            headers = Headers(scope=scope)
            if headers.get("content-length", "0") != "0" or "transfer-encoding" in headers:
                limit = self._limit_of(scope["path"])
                body = LimitedBody(
                    scope,
                    receive,
                    limit.max_bytes,
                    limit.seconds,
                    declared_bytes=_declared_bytes(headers),
                    expects_continue=headers.get("expect", "").lower() == "100-continue",
                    discard_s=self._seconds,
                )
                receive, send = body.receive, _after_body(body, send)
        await self.app(scope, receive, send)

    def _limit_of(self, path: str) -> "BodyLimit":
        return self._uploads.get(path) or (self._v1 if path.startswith("/v1/") else self._native)


class BodyLimit(NamedTuple):
    """The most bytes of a body, and of seconds until all of it has arrived."""

    max_bytes: int
    seconds: float


class LimitedBody:
    """Wraps `receive` of one request, and enforces the limits of its body."""

    __slots__ = (
        "_deadline",
        "_declared_bytes",
        "_discard_s",
        "_expects_continue",
        "_max_bytes",
        "_receive",
        "_received_bytes",
        "_state",
        "complete",
    )

    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        max_bytes: int,
        seconds: float,
        *,
        declared_bytes: int = 0,
        expects_continue: bool = False,
        discard_s: float | None = None,
    ) -> None:
        self._discard_s = seconds if discard_s is None else discard_s
        self._state: Mapping[str, object] = scope["state"]
        self._receive = receive
        self._max_bytes = max_bytes
        self._deadline = asyncio.get_running_loop().time() + seconds
        self._declared_bytes = declared_bytes
        self._expects_continue = expects_continue
        self._received_bytes = 0
        self.complete = False

    @property
    def is_declared_too_long(self) -> bool:
        return self._declared_bytes > self._max_bytes

    def receive(self) -> Awaitable[Message]:
        """The next chunk. Raises TooLarge, and DeadlineExceeded if the body takes too long."""
        if self.is_declared_too_long:
            raise self._too_large()
        return self._receive() if self.complete else self._next_chunk(self._max_bytes)

    async def respond(self, message: Message, send: Send) -> None:
        """Send a message of the response while not all of the body has come."""
        if message["type"] == "http.response.start":
            if not self.is_declared_too_long:
                await self._discard_rest()
            if not self.complete:
                MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)
        elif message.get("more_body", False):
            await send(message)
        else:  # with its end the connection is closed
            await send({**message, "more_body": True})
            await self._discard_rest()
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _discard_rest(self) -> None:
        if self._expects_continue:  # it sends nothing before our response
            return
        latest = asyncio.get_running_loop().time() + self._discard_s
        self._deadline = min(self._deadline, latest)
        with suppress(CartritaError):
            while not self.complete:
                await self._next_chunk(inf)

    async def _next_chunk(self, max_bytes: float) -> Message:
        arrived = self._state.get(BODY_ARRIVED, False)
        message = await (self._receive() if arrived else self._receive_in_time())
        self._expects_continue = False
        self._received_bytes += len(message.get("body", b""))
        self.complete = not message.get("more_body", False)
        if self._received_bytes > max_bytes:
            raise self._too_large()
        return message

    async def _receive_in_time(self) -> Message:
        try:
            async with asyncio.timeout_at(self._deadline):
                return await self._receive()
        except TimeoutError:
            raise DeadlineExceeded(
                "The request's body did not arrive in time: send it again.", code=REQUEST_TIMEOUT
            ) from None

    def _too_large(self) -> TooLarge:
        limit = f"{self._max_bytes:,} bytes"
        return TooLarge(f"The request's body is longer than {limit}: send less.")


def _after_body(body: LimitedBody, send: Send) -> Send:
    async def send_after_body(message: Message) -> None:
        await (send(message) if body.complete else body.respond(message, send))

    return send_after_body


def _declared_bytes(headers: Headers) -> int:
    length = headers.get("content-length", "0")
    return int(length) if length.isdecimal() else 0

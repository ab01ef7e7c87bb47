"""Limits on the length of request URLs, and on the size and duration of request bodies.

Before a response is sent, the unread rest of the body is read and discarded for a limited time:
closing a connection with unread data resets it, and the caller would lose the response.
"""

import anyio
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cartrita.domain.errors import CartritaError, DeadlineExceeded, TooLarge

REQUEST_TIMEOUT = "request_timeout"
URI_TOO_LONG = "uri_too_long"


class RequestLimits:
    """ASGI middleware that enforces the limits.

    `max_bytes` limits the body, and `v1_max_bytes` that of a request below `/v1`, which may hold
    images. `seconds` limits the time until it has arrived completely, and `max_url` the bytes of
    path and query.
    """

    def __init__(
        self, app: ASGIApp, *, max_bytes: int, v1_max_bytes: int, seconds: float, max_url: int
    ) -> None:
        self.app = app
        self._max_bytes = max_bytes
        self._v1_max_bytes = v1_max_bytes
        self._seconds = seconds
        self._max_url = max_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            if len(scope["query_string"]) + len(scope["path"]) > self._max_url:
                raise TooLarge(
                    "The address is too long: send this as POST with a JSON body.",
                    code=URI_TOO_LONG,
                )
            headers = Headers(scope=scope)
            if headers.get("content-length", "0") != "0" or "transfer-encoding" in headers:
                v1 = scope["path"].startswith("/v1/")
                max_bytes = self._v1_max_bytes if v1 else self._max_bytes
                body = _LimitedBody(receive, send, headers, max_bytes, self._seconds)
                receive, send = body.receive, body.send
        await self.app(scope, receive, send)


class _LimitedBody:
    """Wraps `receive` and `send` of one request, and enforces the limits of its body."""

    def __init__(
        self, receive: Receive, send: Send, headers: Headers, max_bytes: int, seconds: float
    ) -> None:
        self._receive = receive
        self._send = send
        self._max_bytes = max_bytes
        self._deadline = anyio.current_time() + seconds
        self._declared_bytes = _declared_bytes(headers)
        self._expects_continue = headers.get("expect", "").lower() == "100-continue"
        self._received_bytes = 0
        self._complete = False

    async def receive(self) -> Message:
        """The next chunk. Raises TooLarge, and DeadlineExceeded if the body takes too long."""
        if self._complete:
            return await self._receive()
        if self._declared_bytes > self._max_bytes:
            raise self._too_large()
        message = await self._next_chunk()
        if self._received_bytes > self._max_bytes:
            raise self._too_large()
        return message

    async def send(self, message: Message) -> None:
        """Send the response; close the connection after it if the body was not read completely."""
        if message["type"] == "http.response.start" and not self._complete:
            await self._discard_rest()
            if not self._complete:
                MutableHeaders(scope=message)["Connection"] = "close"
        await self._send(message)

    async def _next_chunk(self) -> Message:
        try:
            with anyio.fail_after(self._deadline - anyio.current_time()):
                message = await self._receive()
        except TimeoutError:
            raise DeadlineExceeded(
                "The request's body did not arrive in time: send it again.", code=REQUEST_TIMEOUT
            ) from None
        self._expects_continue = False
        self._received_bytes += len(message.get("body", b""))
        self._complete = not message.get("more_body", False)
        return message

    async def _discard_rest(self) -> None:
        if self._expects_continue:
            return  # the client sends no body before it has seen our response
        try:
            while not self._complete:
                await self._next_chunk()
        except CartritaError:
            return

    def _too_large(self) -> TooLarge:
        limit = f"{self._max_bytes:,} bytes"
        return TooLarge(f"The request's body is longer than {limit}: send less.")


def _declared_bytes(headers: Headers) -> int:
    length = headers.get("content-length", "0")
    return int(length) if length.isdecimal() else 0

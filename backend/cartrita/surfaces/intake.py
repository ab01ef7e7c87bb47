"""Request bodies come in soon and small, or the request ends.

What is over the limit, or was never asked for, is read and thrown away for a while before the
answer goes out: a connection closed on unread data is reset, and the caller would lose the answer.
"""

import anyio
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cartrita.domain.errors import CartritaError, DeadlineExceeded, TooLarge

REQUEST_TIMEOUT = "request_timeout"
URI_TOO_LONG = "uri_too_long"


class Intake:
    """Bounds the address and the body of every request.

    `max_bytes` for a body, `seconds` until all of it is here, `max_url` bytes of path and query.
    """

    def __init__(self, app: ASGIApp, *, max_bytes: int, seconds: float, max_url: int) -> None:
        self.app = app
        self._max_bytes = max_bytes
        self._seconds = seconds
        self._max_url = max_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            if len(scope["query_string"]) + len(scope["path"]) > self._max_url:
                raise TooLarge(
                    "The address is too long: send this as POST with a JSON body, "
                    "such as POST /api/chat/stream.",
                    code=URI_TOO_LONG,
                )
            headers = Headers(scope=scope)
            if headers.get("content-length", "0") != "0" or "transfer-encoding" in headers:
                body = _Body(receive, send, headers, self._max_bytes, self._seconds)
                receive, send = body.receive, body.send
        await self.app(scope, receive, send)


class _Body:
    """One request's body on its way in."""

    def __init__(
        self, receive: Receive, send: Send, headers: Headers, max_bytes: int, seconds: float
    ) -> None:
        self._receive = receive
        self._send = send
        self._max_bytes = max_bytes
        self._deadline = anyio.current_time() + seconds
        self._declared = _declared(headers)
        self._waits_for_us = headers.get("expect", "").lower() == "100-continue"
        self._size = 0
        self._whole = False

    async def receive(self) -> Message:
        """The next piece. Raises TooLarge, and DeadlineExceeded where it trickles."""
        if self._whole:
            return await self._receive()
        if self._declared > self._max_bytes:
            raise self._too_large()
        message = await self._piece()
        if self._size > self._max_bytes:
            raise self._too_large()
        return message

    async def send(self, message: Message) -> None:
        """Pass the answer on; the connection ends with it where the body is not whole by then."""
        if message["type"] == "http.response.start" and not self._whole:
            await self._throw_away()
            if not self._whole:
                MutableHeaders(scope=message)["Connection"] = "close"
        await self._send(message)

    async def _piece(self) -> Message:
        try:
            with anyio.fail_after(self._deadline - anyio.current_time()):
                message = await self._receive()
        except TimeoutError:
            raise DeadlineExceeded(
                "The request's body did not arrive in time: send it again.", code=REQUEST_TIMEOUT
            ) from None
        self._waits_for_us = False
        self._size += len(message.get("body", b""))
        self._whole = not message.get("more_body", False)
        return message

    async def _throw_away(self) -> None:
        if self._waits_for_us:
            return  # it has sent nothing yet, and sees the answer before it would
        try:
            while not self._whole:
                await self._piece()
        except CartritaError:
            return

    def _too_large(self) -> TooLarge:
        limit = f"{self._max_bytes:,} bytes"
        return TooLarge(f"The request's body is longer than {limit}: send less.")


def _declared(headers: Headers) -> int:
    length = headers.get("content-length", "0")
    return int(length) if length.isdecimal() else 0

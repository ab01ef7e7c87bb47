"""uvicorn's HTTP protocol with limits below ASGI: on request headers and on unsent bytes."""

import asyncio

import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from cartrita.kit.ids import uuid7
from cartrita.surfaces.request_limits import BODY_ARRIVED

_UNSENT_BYTES = 16 << 10
"""The most that is buffered for a client that does not read; then its stream waits."""
_HEADER_BYTES = 64 << 10


class _Trailers(list[tuple[bytes, bytes]]):
    """Where headers go that come after a chunked body: nowhere.

    Proxies do not look at them, so they must not be taken for headers that a proxy has let pass.
    """

    def append(self, header: tuple[bytes, bytes], /) -> None:
        pass


class BoundedHttp(HttpToolsProtocol):
    """Closes a connection whose headers take too long or grow too large.

    Headers that come in one piece, as nearly all do, need no timer.
    """

    header_timeout_s = 10.0
    _header_timer: asyncio.TimerHandle | None = None
    _header_bytes = 0
    _expects_headers = False

    # The base class names a wider transport than TCP gives us.
    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=_UNSENT_BYTES)
        self._expects_headers = True
        self._start_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        self._expects_headers = False
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        waiting = self._header_timer
        super().data_received(data)
        if not self._expects_headers:
            return
        if self._header_timer is None:
            self._start_timer()
        # A chunk in which a request's headers begin or end contains other bytes too.
        elif waiting is self._header_timer:
            self._header_bytes += len(data)
            if self._header_bytes > _HEADER_BYTES:
                self.send_400_response("The request's headers are too long.")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._expects_headers = True
        self._stop_timer()

    def on_headers_complete(self) -> None:
        self._expects_headers = False
        self._stop_timer()
        super().on_headers_complete()
        if self.parser is not None and not self.parser.should_upgrade():
            self.headers = _Trailers()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self.scope.setdefault("state", {})[BODY_ARRIVED] = True

    def send_400_response(self, msg: str) -> None:
        """Answer 400 in our error format and close the connection."""
        body = msgspec.json.encode(
            {
                "detail": msg,
                "error": msg,
                "code": "malformed_request",
                "details": {},
                "request_id": f"req_{uuid7().hex}",
            }
        )
        head = (
            "HTTP/1.1 400 Bad Request\r\nserver: cartrita\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()

    def _start_timer(self) -> None:
        self._header_timer = asyncio.get_running_loop().call_later(
            self.header_timeout_s, self._close_on_timeout
        )

    def _stop_timer(self) -> None:
        self._header_bytes = 0
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None

    def _close_on_timeout(self) -> None:
        self._header_timer = None
        self.transport.close()


def http_protocol(header_timeout_s: float) -> type[HttpToolsProtocol]:
    """The protocol class for `uvicorn.Config(http=...)`."""
    return type("Http", (BoundedHttp,), {"header_timeout_s": header_timeout_s})

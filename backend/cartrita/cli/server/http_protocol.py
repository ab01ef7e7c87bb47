"""uvicorn's HTTP protocol with limits on headers and on slow readers, left for WebSockets only."""

import asyncio
import sys
from collections.abc import Iterable

import httptools
import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from cartrita.kit.ids import uuid7
from cartrita.surfaces.request_limits import BODY_ARRIVED

_UNSENT_BYTES = 16 << 10
"""The most that is buffered for a client that does not read; then its stream waits."""
_HEADER_BYTES = 64 << 10
_FRAMING_BYTES = 256 << 10
"""The most that may come of a body's framing (chunk extensions, trailers) with nothing of it."""
_PIPELINED = 100
"""The most requests of a connection that wait for the answers to those before them."""
_BODY_HEADERS = frozenset({b"content-length", b"transfer-encoding"})


class _Trailers(list[tuple[bytes, bytes]]):
    """Where headers go that come after a chunked body: nowhere.

    Proxies do not look at them, so they must not be taken for headers that a proxy has let pass.
    """

    def append(self, header: tuple[bytes, bytes], /) -> None:
        pass


class BoundedHttp(HttpToolsProtocol):
    """Closes a connection whose headers are too slow or too large, or that asks too far ahead.

    Headers that come in one piece, as nearly all do, need no timer.

    A client that takes nothing of what waits for it is cut off too: it keeps a call of a provider
    open. What it takes is looked at once in `write_timeout_s` seconds, while something waits.

    An offer to speak WebSocket is taken at `websocket_paths`, and right below those of them that
    end in a slash. Any other offer, as of h2c, is ignored, as a server may (RFC 9110, 7.8). llhttp
    takes the request to end with the headers that offer it, so that they are parsed again without
    the offer, and the body after them.
    """

    header_timeout_s = 10.0
    write_timeout_s = 120.0
    websocket_paths: frozenset[bytes] = frozenset()
    _write_timer: asyncio.TimerHandle | None = None
    _unsent_bytes = 0  # of a client that reads too slowly, when they were last looked at
    _header_timer: asyncio.TimerHandle | None = None
    _header_bytes = 0
    _expects_headers = False
    _got_on = False
    _framing_bytes = 0
    _head_without_offer = b""
    _takes_offer = False

    # The base class names a wider transport than TCP gives us.
    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=_UNSENT_BYTES)
        self._expects_headers = True
        self._start_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        self._expects_headers = False
        self._stop_timer()
        self._stop_write_timer()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unsent_bytes = sys.maxsize
        if self._write_timer is None:
            self._watch_writing()

    def resume_writing(self) -> None:
        self._unsent_bytes = 0  # the timer goes on: a fast stream would set many
        super().resume_writing()

    def data_received(self, data: bytes) -> None:
        waiting = self._header_timer
        self._got_on = False
        self._unset_keepalive_if_required()
        try:
            self._parse(data)
        except httptools.HttpParserError:
            if len(self.pipeline) > _PIPELINED:
                self.transport.close()  # 400 would be taken for the answer to the first of them
                return
            self.logger.warning("Invalid HTTP request received.")
            self.send_400_response("Invalid HTTP request received.")
            return
        if not self._expects_headers:
            self._framing_bytes = 0 if self._got_on else self._framing_bytes + len(data)
            if self._framing_bytes > _FRAMING_BYTES:
                self.send_400_response("What stands between the request's chunks is too long.")
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
        if self.parser.should_upgrade():
            self._takes_offer = self._is_for_websocket()
            if not self._takes_offer:
                self._head_without_offer = self._write_head_without_offer()
            return
        super().on_headers_complete()
        self.headers = _Trailers()
        if len(self.pipeline) > _PIPELINED:
            raise httptools.HttpParserError("Too many requests wait for their turn.")

    def on_body(self, body: bytes) -> None:
        self._got_on = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._got_on = True
        if self.parser.should_upgrade():
            return
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

    def _parse(self, data: bytes) -> None:
        """Raises HttpParserError for what is no HTTP."""
        rest: bytes | memoryview = data
        while True:
            try:
                self.parser.feed_data(rest)
            except httptools.HttpParserUpgrade as offer:
                rest = memoryview(rest)[offer.args[0] :]
                if self._takes_offer:
                    self._speak_websocket(rest)
                    return
                self.parser = httptools.HttpRequestParser(self)
                self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn
                self.parser.feed_data(self._head_without_offer)
            else:
                return

    def _is_for_websocket(self) -> bool:
        """Whether the request is a handshake, and the connection is free for it."""
        path = self.url.partition(b"?")[0]
        folder, slash, _ = path.rpartition(b"/")
        return (
            not self.websocket_paths.isdisjoint((path, folder + slash))
            and self.url.isascii()
            and self.parser.get_method() == b"GET"
            and self.parser.get_http_version() == "1.1"
            and self._get_upgrade() == b"websocket"
            and _BODY_HEADERS.isdisjoint(name for name, _ in self.headers)
            and not (self.cycle and not self.cycle.response_complete)
        )

    def _speak_websocket(self, rest: memoryview) -> None:
        if rest:
            raise httptools.HttpParserError("Frames must wait for the answer to the handshake.")
        self._stop_write_timer()
        self.scope["method"] = "GET"
        self.handle_websocket_upgrade()

    def _write_head_without_offer(self) -> bytes:
        method = self.parser.get_method()
        if method == b"CONNECT":  # which is not an offer
            raise httptools.HttpParserError("CONNECT is for proxies.")
        version = self.parser.get_http_version().encode()
        lines = [b"%b %b HTTP/%b" % (method, self.url, version)]
        lines += [b"%b: %b" % header for header in self.headers if header[0] != b"upgrade"]
        return b"\r\n".join([*lines, b"", b""])

    def _stop_write_timer(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None

    def _start_timer(self) -> None:
        self._header_timer = asyncio.get_running_loop().call_later(
            self.header_timeout_s, self._close_on_timeout
        )

    def _watch_writing(self) -> None:
        loop = asyncio.get_running_loop()
        self._write_timer = loop.call_later(self.write_timeout_s, self._check_writing)

    def _check_writing(self) -> None:
        self._write_timer = None
        if not self._unsent_bytes:
            return
        unsent = self.transport.get_write_buffer_size()
        if unsent >= self._unsent_bytes:
            self.transport.abort()
            return
        self._unsent_bytes = unsent
        self._watch_writing()

    def _stop_timer(self) -> None:
        self._header_bytes = 0
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None

    def _close_on_timeout(self) -> None:
        self._header_timer = None
        self.transport.close()


def http_protocol(
    header_timeout_s: float, write_timeout_s: float, websocket_paths: Iterable[str] = ()
) -> type[HttpToolsProtocol]:
    """The protocol class for `uvicorn.Config(http=...)`; times are in seconds."""
    attributes = {
        "header_timeout_s": header_timeout_s,
        "write_timeout_s": write_timeout_s,
        "websocket_paths": frozenset(path.encode() for path in websocket_paths),
    }
    return type("Http", (BoundedHttp,), attributes)

"""One HTTP/1.1 connection to a provider: a request is written, the parser says what came back.

llhttp, by way of httptools, does the parsing, as it does for the requests of our own clients.
"""

import asyncio
from typing import cast

import httptools

_MAX_BODILESS = 64 << 10
"""Bytes in a row that bring nothing of a body: a head, extensions of chunks, trailers."""
_MAX_WAITING = 256 << 10
"""Bytes of a body that wait to be taken; the peer is held back beyond them."""


class NotHttp(Exception):
    """The peer does not speak HTTP."""


class HttpConnection(asyncio.Protocol):
    """A connection that carries one exchange at a time.

    `status` is 0 and `headers` are incomplete until the head of the response has arrived.
    `complete` tells that its body has; `failure` is what kept it from that. `idle_since` is the
    time of the loop at which it was given back to the pool, or None while it is not there.
    """

    __slots__ = (
        "_bodiless_bytes",
        "_body_ends_with_connection",
        "_busy",
        "_keeps_alive",
        "_loop",
        "_parser",
        "_paused",
        "_pieces",
        "_transport",
        "_waiter",
        "_waiting_bytes",
        "complete",
        "failure",
        "headers",
        "idle_since",
        "status",
    )

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()  # to ask for it costs a system call each time
        self._busy = False
        self._waiter: asyncio.Future[None] | None = None
        self._pieces: list[bytes] = []
        self.idle_since: float | None = None
        self._begin()

    def send(self, head: bytes, body: bytes) -> None:
        """Write a request; from now on its response is awaited."""
        self._begin()
        self._busy = True
        if self._transport.is_closing():  # the peer has closed it as soon as it was open
            self.failure = ConnectionError()
            return
        self._transport.writelines((head, body) if body else (head,))

    def news(self) -> asyncio.Future[None]:
        """Done when something has changed; there is one at a time."""
        self._waiter = waiter = self._loop.create_future()
        return waiter

    @property
    def has_news(self) -> bool:
        """Whether `take` need not be waited for."""
        return bool(self._pieces) or self.complete or self.failure is not None

    def take(self) -> bytes:
        """What has arrived of the body and was not taken; empty where there is nothing."""
        pieces = self._pieces
        if not pieces:
            return b""
        taken = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        pieces.clear()
        self._waiting_bytes = 0
        if self._paused:
            self._paused = False
            if not self._transport.is_closing():
                self._transport.resume_reading()
        return taken

    def fail(self, failure: Exception) -> None:
        """End an exchange that is not complete; the connection is closed."""
        if not self.complete and self.failure is None:
            self.failure = failure
            self._wake()
        self._transport.abort()

    def finish(self) -> bool:
        """End the exchange; true if the connection can carry another one, else it is closed."""
        self._busy = False
        transport = self._transport
        if (
            self.complete
            and self._keeps_alive
            and not self._paused  # nothing more would be read from it
            and not transport.is_closing()
            and not transport.get_write_buffer_size()  # it answered before it had read everything
        ):
            self._pieces.clear()
            return True
        transport.abort()
        return False

    @property
    def hung_up(self) -> bool:
        """Whether the peer closed it without a word in answer to the request."""
        return isinstance(self.failure, ConnectionError) and not (
            self.status or self._bodiless_bytes
        )

    @property
    def busy(self) -> bool:
        """Whether it carries an exchange."""
        return self._busy

    @property
    def usable(self) -> bool:
        """Whether the peer has not closed it."""
        return not self._transport.is_closing()

    def abort(self) -> None:
        """Close it at once."""
        self._transport.abort()

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._parser = httptools.HttpResponseParser(self)
        # Servers that end lines with \n, or pad the size of a chunk, are read by other clients too.
        self._parser.set_dangerous_leniencies(
            lenient_optional_cr_before_lf=True, lenient_spaces_after_chunk_size=True
        )

    def data_received(self, data: bytes) -> None:
        if not self._busy:  # nobody has asked
            self._transport.abort()
            return
        waiting = self._waiting_bytes
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self.fail(NotHttp())
            return
        if self._waiting_bytes != waiting:
            self._bodiless_bytes = 0
            return
        self._bodiless_bytes += len(data)
        if self._bodiless_bytes > _MAX_BODILESS:
            self.fail(NotHttp())

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.complete and self.failure is None:
            if exc is None and self._body_ends_with_connection:
                self.complete = True
            else:
                self.failure = exc or ConnectionError()
            self._wake()
        del self._parser  # it refers to its protocol

    # What the parser calls.

    def on_message_begin(self) -> None:
        if self.complete:
            raise NotHttp  # a second response to one request

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self.status:  # else it is a trailer
            self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < 200:  # the response is still to come
            self.headers.clear()
            return
        self.status = status
        self._keeps_alive = self._parser.should_keep_alive()
        self._body_ends_with_connection = not self._keeps_alive and not (
            "content-length" in self.headers
            or self.headers.get("transfer-encoding", "").lower().endswith("chunked")
        )
        self._wake()

    def on_body(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self._waiting_bytes += len(piece)
        if (
            self._waiting_bytes > _MAX_WAITING
            and not self._paused
            and not self._transport.is_closing()
        ):
            self._paused = True
            self._transport.pause_reading()
        self._wake()

    def on_message_complete(self) -> None:
        if self.status:
            self.complete = True
            self._wake()

    def _begin(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.complete = False
        self.failure: Exception | None = None
        self._bodiless_bytes = 0
        self._waiting_bytes = 0
        self._paused = False
        self._keeps_alive = False
        self._body_ends_with_connection = False

    def _wake(self) -> None:
        waiter = self._waiter
        if waiter is not None:
            self._waiter = None
            if not waiter.done():
                waiter.set_result(None)

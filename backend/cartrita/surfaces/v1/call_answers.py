"""Sends the answers of the gateway: as server-sent events while they come, or as one JSON body.

The upstream call lives as long as the connection of its caller: a disconnect closes it at once. A
failure before the first byte is an ordinary error response; after it, it is the dialect's error
event, and the stream ends without the dialect's mark of a complete answer.
"""

import asyncio
from collections.abc import Awaitable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import structlog
from starlette.types import Receive, Send

from cartrita.domain.deltas import Accepted, Delta, Finished, size_of
from cartrita.domain.errors import CartritaError
from cartrita.domain.ports.relay_monitors import RelayMonitor
from cartrita.domain.usage import Usage
from cartrita.gateway.answers import Answer
from cartrita.kit import sse
from cartrita.kit.long_work import run_long
from cartrita.surfaces.disconnects import UntilDisconnect
from cartrita.surfaces.sse import HEADERS as STREAM_HEADERS
from cartrita.surfaces.upstream_headers import upstream_headers
from cartrita.surfaces.v1.heartbeats import Heartbeats
from cartrita.surfaces.v1.routes_told import route_headers

log = structlog.get_logger(__name__)

HEARTBEAT = sse.comment("")
USAGE_HEADER = "X-Cartrita-Usage"
_JSON = (b"content-type", b"application/json")


class StreamRenderer(Protocol):
    """Writes an answer as the events of one dialect; see `stream_rendering.py` of each."""

    def feed(self, delta: Delta) -> bytes: ...

    def error(self, error: CartritaError) -> bytes: ...


class AnswerFormat(Protocol):
    """How the answer to one request is written in its dialect."""

    @property
    def message_id(self) -> str | None:
        """The id of an answer that is written here."""
        ...

    def renderer(self, monitor: RelayMonitor | None) -> StreamRenderer:
        """Renders the answer; one that was relayed so far is continued as it began.

        `monitor` has watched what was relayed; None where nothing was. Raises UpstreamError if that
        was too much to be continued.
        """
        ...

    def accepted(self, delta: Accepted) -> None:
        """Told when a deployment begins to answer, for what the end of the answer tells."""
        ...

    def whole(self, deltas: Sequence[Delta]) -> bytes:
        """The JSON body of a complete answer."""
        ...


class OutgoingResponse:
    """The response to one request: its start is sent once, with whatever is known by then."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._time = asyncio.get_running_loop().time
        self.started = False
        self.sent_at = self._time()

    async def start(self, status: int, headers: Iterable[tuple[str, str]]) -> None:
        """Send the status and headers, if they have not been sent."""
        if self.started:
            return
        self.started = True
        raw = _raw(headers)
        await self._send({"type": "http.response.start", "status": status, "headers": raw})

    def write(self, body: bytes, *, more: bool = True) -> Awaitable[None]:
        """Send a piece of the body."""
        self.sent_at = self._time()
        return self._send({"type": "http.response.body", "body": body, "more_body": more})


def _raw(headers: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]


async def send_whole(
    opening: AbstractAsyncContextManager[Answer], form: AnswerFormat, receive: Receive, send: Send
) -> None:
    """Wait for the complete answer and send it as one JSON body.

    Raises CartritaError, and ClientDisconnect if the caller did not wait.
    """
    async with UntilDisconnect(receive), opening as answer:
        body, usage = await _whole_body(answer, form)
        headers = answer_headers(answer)
    await send_json(send, body, [*headers, *usage])


async def send_json(send: Send, body: bytes, headers: Iterable[tuple[str, str]] = ()) -> None:
    """Send a whole response with a JSON body."""
    raw = [_JSON, (b"content-length", b"%d" % len(body)), *_raw(headers)]
    await send({"type": "http.response.start", "status": 200, "headers": raw})
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def send_stream(
    opening: AbstractAsyncContextManager[Answer],
    form: AnswerFormat,
    receive: Receive,
    send: Send,
    *,
    heartbeat_s: float,
) -> None:
    """Send the answer as it comes, with comments in the pauses that are longer than a heartbeat.

    Raises CartritaError if there is no answer before the first heartbeat is due.
    """
    response = OutgoingResponse(send)
    stream = _AnswerStream(opening, form, response)
    heartbeats = Heartbeats(heartbeat_s, lambda: response.sent_at, stream.send_heartbeat)
    async with UntilDisconnect(receive), heartbeats:
        await stream.run()
    if stream.failure is not None:
        raise stream.failure


def answer_headers(answer: Answer) -> list[tuple[str, str]]:
    """The headers that tell who answered and what was lost on the way, and the provider's own."""
    headers = upstream_headers(answer.headers)
    if answer.cache is not None:
        headers.append(("X-Cartrita-Cache", answer.cache))
    return headers + route_headers(answer.provider, answer.receipts, answer.failovers)


def _stream_headers(answer: Answer) -> list[tuple[str, str]]:
    return [*STREAM_HEADERS.items(), *answer_headers(answer)]


class _AnswerStream:
    """One answer on its way to one client."""

    def __init__(
        self,
        opening: AbstractAsyncContextManager[Answer],
        form: AnswerFormat,
        response: OutgoingResponse,
    ) -> None:
        self._opening = opening
        self._form = form
        self._response = response
        self._answer: Answer | None = None
        self._relayed = False
        self._renderer: StreamRenderer | None = None
        self._done = False
        self.failure: CartritaError | None = None

    async def run(self) -> None:
        """Send all of it. Leaves `failure` where nothing has been sent."""
        try:
            async with self._opening as answer:
                await self._response.start(200, _stream_headers(answer))
                await self._send_items(answer)
        except CartritaError as error:
            if not self._response.started:
                self.failure = error
                return
            await self._send_error(error)
        except Exception:
            if not self._response.started:
                raise
            log.exception("stream_failed")
            await self._send_error(CartritaError("Something broke on our side."))
        self._done = True
        await self._response.write(b"", more=False)

    async def send_heartbeat(self) -> None:
        """Send a comment, unless the stream is done."""
        if self._done or self.failure is not None:
            return
        await self._response.start(200, STREAM_HEADERS.items())
        await self._response.write(HEARTBEAT)

    async def _send_items(self, answer: Answer) -> None:
        write = self._response.write
        self._answer = answer
        async for item in answer.items:
            if isinstance(item, bytes):
                self._relayed = True
                await write(item)
                del item  # nobody needs it while the next one is waited for
                continue
            if isinstance(item, Accepted):
                self._form.accepted(item)
            if frames := self._current_renderer().feed(item):
                await write(frames)

    async def _send_error(self, error: CartritaError) -> None:
        log.info("stream_aborted", code=error.code)
        try:
            renderer = self._current_renderer()
        except CartritaError:
            renderer = self._form.renderer(None)
        await self._response.write(renderer.error(error))

    def _current_renderer(self) -> StreamRenderer:
        if self._renderer is None:
            monitor = self._answer.monitor if self._answer and self._relayed else None
            self._renderer = self._form.renderer(monitor)
        return self._renderer


def usage_headers(deltas: Sequence[Delta], usage: Usage | None = None) -> list[tuple[str, str]]:
    """The header that tells that the usage of a whole answer is an estimate, if it is one.

    `usage` is that of an answer that was relayed as a whole, without deltas.
    """
    if deltas:
        usage = deltas[-1].usage if isinstance(deltas[-1], Finished) else None
    if usage is None or usage.estimate is None:
        return []
    return [(USAGE_HEADER, usage.estimate)]


async def _whole_body(answer: Answer, form: AnswerFormat) -> tuple[bytes, list[tuple[str, str]]]:
    """The body of an answer, and the headers that are known at its end."""
    deltas: list[Delta] = []
    pieces: list[bytes] = []
    async for item in answer.items:
        if isinstance(item, bytes):
            pieces.append(item)
            continue
        if isinstance(item, Accepted):
            form.accepted(item)
        deltas.append(item)
    body = b"".join(pieces)
    if deltas:
        body = await run_long(size_of(deltas), form.whole, deltas)
    return body, usage_headers(deltas, answer.usage)

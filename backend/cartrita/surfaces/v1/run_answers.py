"""Sends the answers of runs in the dialect of a vendor: as a stream of the log, or as one body.

A disconnect ends the response and not the run, which can be read again.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple, Protocol, TypeAlias

from starlette.types import Receive, Send

from cartrita.domain.deltas import Delta, size_of
from cartrita.domain.errors import CartritaError, Unavailable
from cartrita.domain.event_visibility import is_visible
from cartrita.domain.events import LoggedEvent, RunCompleted, RunStopped
from cartrita.domain.replays import Replay
from cartrita.domain.runs import TailItem
from cartrita.kit.long_work import run_long
from cartrita.surfaces.disconnects import UntilDisconnect
from cartrita.surfaces.sse import HEADERS as STREAM_HEADERS
from cartrita.surfaces.v1.call_answers import (
    HEARTBEAT,
    OutgoingResponse,
    StreamRenderer,
    send_json,
    usage_headers,
)
from cartrita.surfaces.v1.routes_told import headers_of
from cartrita.surfaces.v1.run_errors import error_of

Tail: TypeAlias = AbstractAsyncContextManager[AsyncIterator[TailItem | None]]


class RunFormat(Protocol):
    """How the answer of one run is written in its dialect."""

    def renderer(self) -> StreamRenderer:
        """Renders the stream from its beginning."""
        ...

    def completed(self, end: RunCompleted) -> None:
        """Told before the last delta, for what is shown at the end only."""
        ...

    def whole(self, deltas: Sequence[Delta]) -> bytes:
        """The JSON body of the complete answer."""
        ...


class ResumedAnswer(NamedTuple):
    """How the answer of a run goes on that waited for its caller."""

    form: RunFormat | bytes
    tail: Tail


async def send_run_whole(tail: Tail, form: RunFormat, receive: Receive, send: Send) -> None:
    """Wait for the end of a run and send its answer as one JSON body.

    Raises CartritaError if it ended early, and ClientDisconnect if the caller did not wait.
    """
    async with UntilDisconnect(receive):
        deltas = await collect_deltas(tail, form)
        body = await run_long(size_of(deltas), form.whole, deltas)
    await send_json(send, body, [*headers_of(deltas), *usage_headers(deltas)])


async def send_run_stream(
    tail: Tail, form: RunFormat, receive: Receive, send: Send, *, at_once: bool = False
) -> None:
    """Send the answer of a run as it is written.

    Raises CartritaError if it failed before anything of it was visible and no heartbeat was due;
    with `at_once` every error is an event.
    """
    response = OutgoingResponse(send)
    stream = _RunStream(form, response)
    async with UntilDisconnect(receive):
        if at_once:
            await response.start(200, STREAM_HEADERS.items())
        try:
            async with tail as items:
                async for item in items:
                    await stream.send(item)
            await stream.end()
        except CartritaError as error:
            await stream.fail(error)


class _RunStream:
    """The stream of one run to one client; frames wait until something of the answer is visible."""

    def __init__(self, form: RunFormat, response: OutgoingResponse) -> None:
        self._form = form
        self._response = response
        self._renderer = form.renderer()
        self._replay = Replay()
        self._waiting = b""
        self._headers: list[tuple[str, str]] = []
        self._complete = False

    async def send(self, item: TailItem | None) -> None:
        """Send what an item of the tail shows. Raises CartritaError for the end of a failed run."""
        if item is None:
            await self._write(HEARTBEAT)
        if not isinstance(item, LoggedEvent):
            return
        event = item.event
        if isinstance(event, RunStopped):
            raise error_of(event)
        if isinstance(event, RunCompleted):
            self._form.completed(event)
            self._complete = True
        deltas = self._replay.deltas_of(event)
        self._headers = headers_of(deltas) or self._headers
        frames = b"".join(map(self._renderer.feed, deltas))
        if is_visible(event) or self._response.started:
            await self._write(frames)
        else:
            self._waiting += frames

    async def end(self) -> None:
        """End the response. Raises CartritaError if the run is not complete."""
        if not self._complete:
            raise Unavailable("This server stops; the run goes on and can be read again.")
        await self._response.write(b"", more=False)

    async def fail(self, error: CartritaError) -> None:
        """Report an error as an event. Raises it if nothing has been sent."""
        if not self._response.started:
            raise error
        await self._write(self._renderer.error(error))
        await self._response.write(b"", more=False)

    async def _write(self, frames: bytes) -> None:
        frames = self._waiting + frames
        self._waiting = b""
        await self._response.start(200, [*STREAM_HEADERS.items(), *self._headers])
        if frames:
            await self._response.write(frames)


async def collect_deltas(tail: Tail, form: RunFormat) -> list[Delta]:
    """All deltas of a run, at its end. Raises CartritaError if it ended early."""
    replay = Replay()
    deltas: list[Delta] = []
    async with tail as items:
        async for item in items:
            if not isinstance(item, LoggedEvent):
                continue
            if isinstance(item.event, RunStopped):
                raise error_of(item.event)
            if isinstance(item.event, RunCompleted):
                form.completed(item.event)
            deltas += replay.deltas_of(item.event)
            if item.terminal:
                return deltas
    raise Unavailable("This server stops; the run goes on and can be read again.")

"""An event stream as an ASGI answer: it watches for its reader's leaving, and never queues.

A reader is a cursor. Frames wait in a small buffer while the socket is busy, the log waits behind
them, and whoever stalls holds no more than that. A reader that leaves ends this answer, never the
run that it reads.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Generic, TypeAlias, TypeVar, cast

import anyio
import structlog
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from cartrita.domain.errors import CartritaError
from cartrita.kit import sse

log = structlog.get_logger()

MEDIA_TYPE = "text/event-stream"
HEADERS = {
    "Content-Type": f"{MEDIA_TYPE}; charset=utf-8",
    "Cache-Control": "no-cache, no-transform",
    "X-Accel-Buffering": "no",
}
_BUFFER = 8 * 1024
_RETRY_MS = (1000, 3000)
_LEFT = "left_to_be_sent"

Sending: TypeAlias = Callable[[], Awaitable[None]]

T = TypeVar("T")


def retry() -> bytes:
    """When to come back, with jitter: a thousand readers cut at once do not return at once."""
    low, high = _RETRY_MS
    return b"retry: %d\n" % (low + secrets.randbelow(high - low))


def come_back() -> bytes:
    """A whole stream that says: not now. Any status but 200 would stop an EventSource for ever."""
    return retry() + b"\n" + sse.comment("not now, come back")


class EventStream(Response, Generic[T]):
    """Sends what a tail yields until the tail ends.

    The first bytes carry `cursor` as the stream's id, so that a reader cut before the first event
    comes back to the same run. `last` says which item ends the run: a tail that ends without one
    (a drain, a database that is away) asks its reader to come back.
    """

    media_type = MEDIA_TYPE

    def __init__(
        self,
        tail: AbstractAsyncContextManager[AsyncIterator[T]],
        *,
        cursor: str,
        frame: Callable[[T], bytes],
        last: Callable[[T], bool],
    ) -> None:
        self.status_code = 200
        self.background = None
        self.init_headers(HEADERS)
        self._tail = tail
        self._frame = frame
        self._last = last
        self._outbox = bytearray(retry() + b"id: " + cursor.encode() + b"\n\n")
        self._filled = asyncio.Event()
        self._poured: asyncio.Event | None = None
        self._ended = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Leave the sending to whoever asks `left_to_be_sent`, once the request is done.

        By then everything that served the request is gone: 8 of 40 KiB that an idle stream took.
        """
        scope["state"][_LEFT] = partial(self._send, receive, send)

    async def _send(self, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        self._filled.set()
        async with anyio.create_task_group() as group:
            group.start_soon(cancel_when_left, receive, group.cancel_scope)
            group.start_soon(self._fill)
            await self._pour(send)
            group.cancel_scope.cancel()

    async def _fill(self) -> None:
        ended_well = False
        try:
            async with self._tail as items:
                async for item in items:
                    await self._put(self._frame(item))
                    ended_well = self._last(item)
        except CartritaError as error:
            log.info("stream_broken_off", code=error.code)
        except Exception:
            log.exception("stream_failed")
        if not ended_well:
            self._outbox += come_back()
        self._ended = True
        self._filled.set()

    async def _put(self, frame: bytes) -> None:
        self._outbox += frame
        self._filled.set()
        while len(self._outbox) > _BUFFER:
            self._poured = asyncio.Event()
            await self._poured.wait()

    async def _pour(self, send: Send) -> None:
        """Send what has gathered, joined: one write for each time that the log wakes us."""
        while not self._ended or self._outbox:
            await self._filled.wait()
            self._filled.clear()
            if self._outbox:
                await send({"type": "http.response.body", "body": self._take(), "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _take(self) -> bytes:
        frames = bytes(self._outbox)
        self._outbox.clear()
        if self._poured is not None:
            self._poured.set()
        return frames


def left_to_be_sent(scope: Scope) -> Sending | None:
    """The stream that an endpoint answered with, if it did."""
    return cast("Sending | None", scope["state"].pop(_LEFT, None))


async def cancel_when_left(receive: Receive, scope: anyio.CancelScope) -> None:
    """Cancel a wait once nobody is there any more to be answered."""
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()

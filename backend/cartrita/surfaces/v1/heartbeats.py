"""Heartbeats: what is sent in the pauses of a stream, so that nobody takes it for dead."""

import asyncio
from collections.abc import Callable, Coroutine
from types import TracebackType


class Heartbeats:
    """A context in which `beat` is called whenever nothing was sent for `interval` seconds.

    `sent_at` tells the moment of the event loop's clock at which something was last sent. A timer
    looks at it, because a task for each stream would cost more memory than the rest of the stream.
    """

    __slots__ = ("_beat", "_interval", "_loop", "_sending", "_sent_at", "_timer")

    def __init__(
        self,
        interval: float,
        sent_at: Callable[[], float],
        beat: Callable[[], Coroutine[None, None, None]],
    ) -> None:
        self._interval = interval
        self._sent_at = sent_at
        self._beat = beat
        self._loop = asyncio.get_running_loop()
        self._sending: asyncio.Task[None] | None = None

    async def __aenter__(self) -> None:
        self._timer = self._loop.call_at(self._sent_at() + self._interval, self._look)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        if self._sending is not None:
            self._sending.cancel()
            await asyncio.wait((self._sending,))

    def _look(self) -> None:
        now, due = self._loop.time(), self._sent_at() + self._interval
        if now >= due:
            if self._sending is None or self._sending.done():
                self._sending = self._loop.create_task(self._beat())
            due = now + self._interval
        self._timer = self._loop.call_at(due, self._look)

"""The runs that one socket follows, each by a tail of its log."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias

import structlog

from cartrita.application.runs.runs import LogExpired, Runs
from cartrita.domain.errors import CartritaError, RateLimited
from cartrita.domain.ids import RunId
from cartrita.kit import ids
from cartrita.surfaces.native.event_rendering import is_terminal
from cartrita.surfaces.native.websocket.client_frames import Reference
from cartrita.surfaces.native.websocket.server_frames import error_frame, event_frame

log = structlog.get_logger(__name__)

SendFrame: TypeAlias = Callable[[str], Awaitable[None]]
"""Sends a frame; waits while the socket is busy, so that its tails wait too."""


class FollowedRuns:
    """Sends the events of at most `most` runs at once; `on_end` is called when one has ended."""

    def __init__(
        self,
        tasks: asyncio.TaskGroup,
        runs: Runs,
        send: SendFrame,
        *,
        most: int,
        on_end: Callable[[], None],
    ) -> None:
        self._tasks = tasks
        self._runs = runs
        self._send = send
        self._most = most
        self._on_end = on_end
        self._following: dict[RunId, asyncio.Task[None]] = {}

    def __len__(self) -> int:
        return len(self._following)

    def require_room(self) -> None:
        """Raise RateLimited if no other run can be followed."""
        if len(self._following) >= self._most:
            raise RateLimited(
                f"This socket follows {self._most} runs already: wait until one has ended.",
                code="too_many_runs",
            )

    def follow(self, run_id: RunId) -> None:
        """Follow a run from its beginning, unless it is followed already."""
        if run_id not in self._following:
            self.resume(run_id, 0)

    def resume(self, run_id: RunId, after: int) -> None:
        """Follow a run after an event, also if it is followed already. Raises RateLimited."""
        earlier = self._following.pop(run_id, None)
        if earlier is not None:
            earlier.cancel()
        self.require_room()
        self._following[run_id] = self._tasks.create_task(self._follow(run_id, after))

    def stop(self) -> None:
        """Follow none any more."""
        for task in self._following.values():
            task.cancel()

    async def _follow(self, run_id: RunId, after: int) -> None:
        try:
            error = await self._send_events(run_id, after)
            if error is not None:
                await self._send(error_frame(error, Reference(run_id=ids.public("run", run_id))))
        finally:
            if self._following.get(run_id) is asyncio.current_task():
                del self._following[run_id]
                self._on_end()

    async def _send_events(self, run_id: RunId, after: int) -> CartritaError | None:
        """Send the events to the last one; what came instead of it, if its reader is to know."""
        try:
            async with self._runs.tail(run_id, after) as items:
                async for item in items:
                    frame = event_frame(item)
                    if frame is not None:
                        await self._send(frame)
                    if is_terminal(item):
                        return None
        except CartritaError as error:
            # The whole socket ends where its server does.
            return None if error.code == "draining" else error
        except Exception:
            log.exception("stream_failed")
            return CartritaError("Something broke on our side: resume after the last event.")
        return LogExpired()

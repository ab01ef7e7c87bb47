"""Periodic cleanup: deletes deleted conversations, and whatever else is kept no longer."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import structlog

from cartrita.domain.errors import CartritaError
from cartrita.domain.ports.cleanup import Sweep
from cartrita.domain.ports.conversations import ConversationRemoval
from cartrita.kit.repeated_failures import RepeatedFailures

log = structlog.get_logger(__name__)


class Cleanup:
    """Runs in every worker process; row locks prevent duplicate work. `sweeps` are by name.

    Whatever one of them raises is logged, the others are done all the same, and all again later:
    that something is kept for too long is no reason to end a worker with all its streams.
    """

    def __init__(
        self, removal: ConversationRemoval, sweeps: Mapping[str, Sweep], *, interval_s: float
    ) -> None:
        self._work: dict[str, Callable[[], Awaitable[int]]] = {"conversations": removal.purge}
        self._work |= {name: sweep.sweep for name, sweep in sweeps.items()}
        self._interval_s = interval_s
        self._failure_logger = RepeatedFailures("cleanup_failed")

    async def run(self) -> None:
        """Clean up every `interval_s` seconds until cancelled."""
        while True:
            await self.clean()
            await asyncio.sleep(self._interval_s)

    async def clean(self) -> None:
        """Do all of it once."""
        removed = {name: await self._remove(name, work) for name, work in self._work.items()}
        log.debug("cleanup_done", **removed)

    async def _remove(self, name: str, work: Callable[[], Awaitable[int]]) -> int | None:
        """How many entries were removed; None if that failed."""
        try:
            removed = await work()
        except CartritaError as error:
            log.warning("cleanup_failed", of=name, code=error.code)
        except Exception as error:
            self._failure_logger.exception(name, error=error, of=name)
        else:
            self._failure_logger.forget(name)
            return removed
        return None

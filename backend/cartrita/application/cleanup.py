"""Periodic cleanup: deletes deleted conversations, and whatever else is kept no longer."""

import asyncio
from collections.abc import Mapping

import structlog

from cartrita.domain.errors import CartritaError
from cartrita.domain.ports.cleanup import Sweep
from cartrita.domain.ports.conversations import ConversationRemoval

log = structlog.get_logger()


class Cleanup:
    """Runs in every worker process; row locks prevent duplicate work. `sweeps` are by name."""

    def __init__(
        self, removal: ConversationRemoval, sweeps: Mapping[str, Sweep], *, interval_s: float
    ) -> None:
        self._removal = removal
        self._sweeps = sweeps
        self._interval_s = interval_s

    async def run(self) -> None:
        """Clean up every `interval_s` seconds until cancelled."""
        while True:
            try:
                removed = {"conversations": await self._removal.purge()}
                for name, sweep in self._sweeps.items():
                    removed[name] = await sweep.sweep()
                log.debug("cleanup_done", **removed)
            except CartritaError as error:
                log.warning("cleanup_failed", code=error.code)
            await asyncio.sleep(self._interval_s)

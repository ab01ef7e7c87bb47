"""Periodic cleanup: deletes the rows of deleted conversations, expired tickets, old answers."""

import asyncio

import structlog

from cartrita.domain.errors import CartritaError
from cartrita.domain.ports.access import TicketStore
from cartrita.domain.ports.caching import CacheSweep
from cartrita.domain.ports.conversations import ConversationRemoval

log = structlog.get_logger()


class Cleanup:
    """Runs in every worker process; row locks prevent duplicate work."""

    def __init__(
        self,
        removal: ConversationRemoval,
        tickets: TicketStore,
        cached_answers: CacheSweep,
        *,
        interval_s: float,
    ) -> None:
        self._removal = removal
        self._tickets = tickets
        self._cached_answers = cached_answers
        self._interval_s = interval_s

    async def run(self) -> None:
        """Clean up every `interval_s` seconds until cancelled."""
        while True:
            try:
                deleted = await self._removal.purge()
                expired = await self._tickets.sweep()
                answers = await self._cached_answers.sweep()
                log.debug(
                    "cleanup_done", conversations=deleted, tickets=expired, cached_answers=answers
                )
            except CartritaError as error:
                log.warning("cleanup_failed", code=error.code)
            await asyncio.sleep(self._interval_s)

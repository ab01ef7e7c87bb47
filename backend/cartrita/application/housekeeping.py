"""What is done from time to time: hidden conversations are deleted, spent tickets forgotten."""

import asyncio

import structlog

from cartrita.domain.errors import CartritaError
from cartrita.domain.ports import ConversationRemoval, TicketStore

log = structlog.get_logger()


class Housekeeping:
    """Every process does it; the rows decide who does what."""

    def __init__(
        self, removal: ConversationRemoval, tickets: TicketStore, *, interval_s: float
    ) -> None:
        self._removal = removal
        self._tickets = tickets
        self._interval_s = interval_s

    async def keep_house_for_ever(self) -> None:
        while True:
            try:
                deleted = await self._removal.purge()
                forgotten = await self._tickets.sweep()
                log.debug("house_kept", conversations=deleted, tickets=forgotten)
            except CartritaError as error:
                log.warning("housekeeping_waits", code=error.code)
            await asyncio.sleep(self._interval_s)

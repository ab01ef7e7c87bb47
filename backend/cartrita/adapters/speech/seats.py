"""Seats for the programs and engines that work on speech here: so many at once."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from weakref import WeakValueDictionary

from cartrita.domain.errors import Busy


class EngineSeats:
    """So many seats, for which those who come wait in their order, `wait_s` seconds at most.

    One owner has a `share` of them at most, if there are shares: others wait for none of his work.
    """

    def __init__(self, seats: int, wait_s: float = 30.0, share: int | None = None) -> None:
        self._free = asyncio.Semaphore(seats)
        self._wait_s = wait_s
        self._share = share
        self._shares = WeakValueDictionary[str, asyncio.Semaphore]()

    @asynccontextmanager
    async def one(self, owner_id: str | None = None) -> AsyncGenerator[None]:
        """A seat, for this owner. Raises Busy."""
        async with AsyncExitStack() as held:
            try:
                async with asyncio.timeout(self._wait_s):
                    if owner_id is not None and self._share is not None:
                        await held.enter_async_context(self._share_of(owner_id, self._share))
                    await held.enter_async_context(self._free)
            except TimeoutError:
                raise Busy.now() from None
            yield

    def _share_of(self, owner_id: str, seats: int) -> asyncio.Semaphore:
        """The seats that an owner may have; nobody keeps those of one who uses none."""
        return self._shares.setdefault(owner_id, asyncio.Semaphore(seats))

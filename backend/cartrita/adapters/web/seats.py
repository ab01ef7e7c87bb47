"""Seats for what many owners do at once, of which no owner has all."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager

from cartrita.domain.errors import Busy


class OwnerSeats:
    """So many seats `in_all` and `of_one` owner; for one it is waited `wait_s` seconds."""

    def __init__(self, in_all: int, of_one: int, wait_s: float) -> None:
        self._all = asyncio.Semaphore(in_all)
        self._of_one = of_one
        self._wait_s = wait_s
        self._owners: dict[str, asyncio.Semaphore] = {}
        self._present = Counter[str]()

    @asynccontextmanager
    async def one(self, owner_id: str) -> AsyncGenerator[None]:
        """A seat of this owner's. Raises Busy."""
        theirs = self._owners.setdefault(owner_id, asyncio.Semaphore(self._of_one))
        self._present[owner_id] += 1
        try:
            async with AsyncExitStack() as taken:
                try:
                    async with asyncio.timeout(self._wait_s):
                        await taken.enter_async_context(theirs)
                        await taken.enter_async_context(self._all)
                except TimeoutError:
                    raise Busy.now() from None
                yield
        finally:
            self._present[owner_id] -= 1
            if not self._present[owner_id]:
                del self._present[owner_id], self._owners[owner_id]

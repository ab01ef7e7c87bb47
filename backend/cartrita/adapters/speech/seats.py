"""Seats for the programs and engines that work on speech here: so many at once."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from cartrita.domain.errors import Busy


class EngineSeats:
    """So many seats, for which those who come wait in their order, `wait_s` seconds at most."""

    def __init__(self, seats: int, wait_s: float = 30.0) -> None:
        self._free = asyncio.Semaphore(seats)
        self._wait_s = wait_s

    @asynccontextmanager
    async def one(self) -> AsyncGenerator[None]:
        """A seat. Raises Busy."""
        try:
            async with asyncio.timeout(self._wait_s):
                await self._free.acquire()
        except TimeoutError:
            raise Busy.now() from None
        try:
            yield
        finally:
            self._free.release()

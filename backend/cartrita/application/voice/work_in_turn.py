"""Work in turn: of equal requests the next begins when the one before is done."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from cartrita.domain.ports.runs import KeyReservations
from cartrita.kit.ids import uuid7

_LOOKED_AGAIN_S: Final = 0.25


class WorkInTurn:
    """Holds names for `seconds` at most: what takes longer may be done by two."""

    def __init__(
        self,
        reservations: KeyReservations,
        *,
        seconds: float,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._reservations = reservations
        self._seconds = seconds
        self._sleep = sleep

    @asynccontextmanager
    async def holding(self, owner_id: str, names: Iterable[str]) -> AsyncGenerator[None]:
        """Wait until nobody else holds any of these names, and hold them."""
        async with AsyncExitStack() as held:
            for name in sorted(names):  # so that no two wait for each other
                await held.enter_async_context(self._one(owner_id, name))
            yield

    @asynccontextmanager
    async def _one(self, owner_id: str, name: str) -> AsyncGenerator[None]:
        holder = uuid7()
        try:
            while not await self._reservations.take(owner_id, name, holder, self._seconds):
                await self._sleep(_LOOKED_AGAIN_S)
            yield
        finally:  # also where it was taken, and nobody was told any more
            await self._reservations.leave(owner_id, name, holder)

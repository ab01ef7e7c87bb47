"""Work in turn: of equal requests the next begins when the one before is done."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import cycle
from typing import Final, NamedTuple, TypeAlias
from uuid import UUID

import structlog

from cartrita.domain.errors import CartritaError
from cartrita.domain.ports.runs import KeyReservations
from cartrita.kit.ids import uuid7
from cartrita.kit.owned_tasks import OwnedTasks

log = structlog.get_logger(__name__)

_FIRST_PAUSE_S: Final = 0.25
_LONGEST_PAUSE_S: Final = 2.0
_LONGER: Final = 1.5
"""Pauses between looks grow, so that many who wait for long ask the database for little."""

Look: TypeAlias = Callable[[], Awaitable[bool]]


class _Held(NamedTuple):
    owner_id: str
    name: str
    holder: UUID


async def _never() -> bool:
    return False


class WorkInTurn:
    """Holds names for `seconds` at a time, which `run` renews for as long as the work takes.

    One that could not be given back is free after so long: nobody is told, as the work is done.
    """

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
        self._holders: set[UUID] = set()
        self._tasks = OwnedTasks()

    async def run(self) -> None:
        """Renew what is held, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._tasks.run())
            while True:
                await self._sleep(self._seconds / 3)
                await self._renew()

    @asynccontextmanager
    async def holding(
        self, owner_id: str, names: Iterable[str], done: Look = _never
    ) -> AsyncGenerator[None]:
        """Wait until nobody else holds any of these names, and hold them.

        Who waits looks whether the work is `done`, too, and waits no longer if it is.
        """
        async with AsyncExitStack() as held:
            for name in sorted(names):  # so that no two wait for each other
                await held.enter_async_context(self._one(_Held(owner_id, name, uuid7()), done))
            yield

    @asynccontextmanager
    async def _one(self, held: _Held, done: Look) -> AsyncGenerator[None]:
        try:
            await self._wait(held, done)
            yield
        finally:  # also where it was taken, and nobody was told any more
            self._holders.discard(held.holder)
            await self._given_back(held)

    async def _wait(self, held: _Held, done: Look) -> None:
        pause = _FIRST_PAUSE_S

        async def taken() -> bool:
            if not await self._reservations.take(*held, self._seconds):
                return False
            self._holders.add(held.holder)
            return True

        for look in cycle((taken, done)):
            if await look():
                return
            await self._sleep(pause)
            pause = min(pause * _LONGER, _LONGEST_PAUSE_S)

    async def _given_back(self, held: _Held) -> None:
        """Give it back, also where whoever held it is cancelled meanwhile."""
        if self._tasks.running:
            await asyncio.shield(self._tasks.start(self._leave(held)))
        else:
            await self._leave(held)

    async def _leave(self, held: _Held) -> None:
        try:
            await self._reservations.leave(*held)
        except CartritaError as error:
            log.warning("name_not_given_back", code=error.code)

    async def _renew(self) -> None:
        if not self._holders:
            return
        try:
            await self._reservations.renew([*self._holders], self._seconds)
        except CartritaError as error:
            log.warning("names_not_renewed", code=error.code)

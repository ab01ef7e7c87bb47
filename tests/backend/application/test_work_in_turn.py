"""Equal requests wait for each other, and for none that is done."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

import pytest

from cartrita.application.work_in_turn import WorkInTurn
from cartrita.domain.errors import Unavailable


class Names:
    """Names that are held, in memory; `broken` is raised by what gives back and renews."""

    def __init__(self) -> None:
        self.held: dict[tuple[str, str], UUID] = {}
        self.looks = 0
        self.renewed: list[Sequence[UUID]] = []
        self.broken: Unavailable | None = None
        self.told: asyncio.Queue[str] = asyncio.Queue()
        self.leaving = asyncio.Event()
        self.may_leave = asyncio.Event()
        self.may_leave.set()

    async def take(self, owner_id: str, name: str, holder: UUID, seconds: float) -> bool:
        self.looks += 1
        if self.held.setdefault((owner_id, name), holder) != holder:
            return False
        self.told.put_nowait("taken")
        return True

    async def renew(self, holders: Sequence[UUID], seconds: float) -> None:
        self.renewed.append(sorted(holders))
        self.told.put_nowait("renewed")
        if self.broken:
            raise self.broken

    async def leave(self, owner_id: str, name: str, holder: UUID) -> None:
        self.leaving.set()
        await self.may_leave.wait()
        if self.broken:
            raise self.broken
        if self.held.get((owner_id, name)) == holder:
            del self.held[owner_id, name]
            self.told.put_nowait("left")

    async def until(self, *told: str) -> None:
        """Return once these were told, and nothing else."""
        assert [await self.told.get() for _ in told] == [*told]


class Waits:
    """Sleeps of a test: how long they were to be; each ends when it is let go."""

    def __init__(self) -> None:
        self.asked: asyncio.Queue[float] = asyncio.Queue()
        self._go = asyncio.Semaphore(0)

    async def sleep(self, seconds: float) -> None:
        self.asked.put_nowait(seconds)
        await self._go.acquire()

    async def next(self) -> float:
        """How long somebody sleeps now, who is woken up."""
        seconds = await self.asked.get()
        self._go.release()
        return seconds


@asynccontextmanager
async def running(work: WorkInTurn) -> AsyncGenerator[None]:
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(work.run())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        yield
        task.cancel()


async def hold(work: WorkInTurn, ended: asyncio.Event, *named: str) -> None:
    async with work.holding("ann", named or ["b", "a"]):
        await ended.wait()


async def test_names_are_held_in_their_order_and_given_back() -> None:
    names = Names()
    async with WorkInTurn(names, seconds=9).holding("ann", ["b", "a"]):
        assert [*names.held] == [("ann", "a"), ("ann", "b")]
    assert names.held == {}


async def test_an_equal_one_waits_and_looks_less_often_the_longer_it_does() -> None:
    names, waits, ended = Names(), Waits(), asyncio.Event()
    work = WorkInTurn(names, seconds=9, sleep=waits.sleep)
    async with asyncio.TaskGroup() as tasks:
        async with work.holding("ann", ["a", "b"]):
            waiting = tasks.create_task(hold(work, ended))
            pauses = [await waits.next() for _ in range(12)]
            assert not waiting.done()
            before = names.looks
        assert pauses == sorted(pauses)
        assert (pauses[0], pauses[-1]) == (0.25, 2.0)
        assert before <= 9, "every other look is for what is done: one statement each"
        while len(names.held) < 2:
            await waits.next() if not waits.asked.empty() else await asyncio.sleep(0)
        ended.set()
    assert names.held == {}


async def test_what_is_done_is_not_waited_for() -> None:
    names, waits = Names(), Waits()
    names.held["ann", "a"] = UUID(int=1)
    work = WorkInTurn(names, seconds=9, sleep=waits.sleep)

    async def done() -> bool:
        return True

    async def retry() -> None:
        async with work.holding("ann", ["a"], done):
            pass

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(retry())
        await waits.next()
    assert names.held == {("ann", "a"): UUID(int=1)}, "it is another's still"


async def test_that_a_name_cannot_be_given_back_is_no_failure_of_the_work() -> None:
    names = Names()
    names.broken = Unavailable("The database is away.")
    worked = False
    async with WorkInTurn(names, seconds=9).holding("ann", ["a"]):
        worked = True
    assert worked


async def test_who_is_cancelled_twice_gives_its_name_back() -> None:
    names, waits = Names(), Waits()
    names.may_leave.clear()
    work = WorkInTurn(names, seconds=9, sleep=waits.sleep)
    async with running(work):
        async with asyncio.TaskGroup() as tasks:
            holding = tasks.create_task(hold(work, asyncio.Event(), "a"))
            await names.until("taken")
            holding.cancel()
            await names.leaving.wait()
            holding.cancel()
            await asyncio.wait([holding])
        assert holding.cancelled()
        names.may_leave.set()
        await names.until("left")
    assert names.held == {}


@pytest.mark.parametrize("broken", [None, Unavailable("The database is away.")])
async def test_what_is_held_is_renewed_while_the_work_goes_on(broken: Unavailable | None) -> None:
    names, waits, ended = Names(), Waits(), asyncio.Event()
    names.broken = broken
    work = WorkInTurn(names, seconds=9, sleep=waits.sleep)
    async with running(work), asyncio.TaskGroup() as tasks:
        holding = tasks.create_task(hold(work, ended))
        await names.until("taken", "taken")
        assert [await waits.next(), await waits.next()] == [3, 3]
        await names.until("renewed", "renewed")
        assert names.renewed == [sorted(names.held.values())] * 2
        ended.set()
        await asyncio.wait([holding])
        await waits.next()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert len(names.renewed) == 2, "what is held no more is not"

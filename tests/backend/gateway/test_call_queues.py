"""Queued calls begin in order, within the limit; whoever leaves gives up its place and no other."""

import asyncio
import contextlib
from collections import Counter
from random import Random

import pytest
from tests.backend.gateway.test_pacing import most_in_a_window
from tests.backend.gateway.virtual_time import VirtualTime

from cartrita.domain.errors import RateLimited
from cartrita.domain.limits import Limit, LimitKey
from cartrita.gateway.call_queues import CallQueue, GrantRequest, QueuePolicy
from cartrita.gateway.calls import PauseListener
from cartrita.gateway.memory_grants import MemoryGrants

KEY = LimitKey("p")
LIMIT = Limit(10, 10)


class Queue:
    """A queue under a virtual clock, and what became of the calls in it."""

    def __init__(self, limit: Limit | None = LIMIT, **policy: float) -> None:
        self.time = VirtualTime()
        chosen = QueuePolicy(**policy)  # pyright: ignore[reportArgumentType]
        store = MemoryGrants(clock=self.time.clock)
        self.queue = CallQueue(
            KEY, lambda wake: store.grants(KEY, limit, wake), chosen, self.time.later
        )
        self.patience = chosen.patience
        self.begun: list[tuple[float, str, int]] = []
        self.refused: list[tuple[float, RateLimited]] = []
        self._count = 0

    async def call(
        self, tenant: str = "a", number: int | None = None, on_pause: PauseListener | None = None
    ) -> None:
        self._count += 1
        request = GrantRequest(tenant=tenant, number=number or self._count, on_pause=on_pause)
        if not self.queue.take():
            try:
                await self.queue.wait(request, self.patience)
            except RateLimited as error:
                self.refused.append((self.time.now, error))
                return
        self.begun.append((self.time.now, tenant, request.number))

    def start(self, tenant: str = "a", on_pause: PauseListener | None = None) -> asyncio.Task[None]:
        return asyncio.get_running_loop().create_task(self.call(tenant, on_pause=on_pause))

    async def fill(self) -> None:
        for _ in range(LIMIT.requests):
            await self.call()

    @property
    def numbers(self) -> list[int]:
        return [number for _, _, number in self.begun]


async def cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def test_calls_begin_at_the_pace_of_the_limit_in_order() -> None:
    queue = Queue()
    tasks = [queue.start() for _ in range(30)]
    await queue.time.advance(30)
    await asyncio.gather(*tasks)
    assert queue.numbers == list(range(1, 31))
    moments = [moment - 1000 for moment, _, _ in queue.begun]
    assert moments == pytest.approx([0.0] * 10 + [1.0 + more for more in range(20)], abs=0.01)
    assert queue.time.pending == 0


async def test_a_call_that_would_wait_too_long_is_refused_at_once() -> None:
    queue = Queue(patience=5.5)
    await queue.fill()
    tasks = [queue.start() for _ in range(6)]
    await queue.time.settle()
    assert [moment for moment, _ in queue.refused] == [queue.time.now]
    error = queue.refused[0][1]
    assert (error.code, error.retryable) == ("rate_limited", True)
    assert error.retry_after == pytest.approx(6.0)
    assert error.details == {"provider": "p", "position": 6, "eta_seconds": 6.0}
    assert "p is called as often as its limit allows, and 5 calls wait" in error.message
    await queue.time.advance(5.4)
    await asyncio.gather(*tasks)
    assert queue.numbers == list(range(1, 16))


async def test_a_call_whose_time_is_over_is_refused() -> None:
    queue = Queue(patience=5.5)
    await queue.fill()
    tasks = [queue.start() for _ in range(5)]
    await queue.time.settle()
    other = [queue.start("b") for _ in range(2)]  # which push the last of the first ones out
    await queue.time.advance(10)
    await asyncio.gather(*tasks, *other)
    assert [moment - 1000 for moment, _ in queue.refused] == pytest.approx([5.5, 5.5])
    assert [tenant for _, tenant, _ in queue.begun[10:]] == ["a", "b", "a", "b", "a"]
    assert queue.queue.waiting == queue.time.pending == 0


async def test_the_most_that_wait_are_counted_for_each_tenant() -> None:
    queue = Queue(waiting=2)
    await queue.fill()
    tasks = [queue.start(tenant) for tenant in "aaab"]
    await queue.time.settle()
    assert len(queue.refused) == 1
    assert queue.queue.waiting == 3
    await queue.time.advance(5)
    await asyncio.gather(*tasks)


async def test_who_leaves_makes_room_for_the_next() -> None:
    queue = Queue()
    await queue.fill()
    tasks = [queue.start() for _ in range(4)]
    await queue.time.settle()
    await cancelled(tasks[0])
    await cancelled(tasks[2])
    await queue.time.advance(2.1)
    assert queue.numbers[10:] == [12, 14]
    assert queue.queue.waiting == queue.time.pending == 0


async def test_who_is_cancelled_as_it_is_granted_gives_the_grant_to_the_next() -> None:
    queue = Queue()
    await queue.fill()
    first, second = queue.start(), queue.start()
    await queue.time.settle()
    queue.time.now += 1.01
    queue.queue.pause(0.0)  # it looks again, and grants, before any task goes on
    first.cancel()
    await queue.time.settle()
    assert first.cancelled()
    assert second.done()
    assert queue.numbers[10:] == [12]


async def test_a_pause_of_the_provider_holds_all_back_in_order() -> None:
    queue = Queue(None)
    await queue.call()
    queue.queue.pause(2.0)
    tasks = [queue.start() for _ in range(3)]
    await queue.time.settle()
    back = asyncio.get_running_loop().create_task(queue.call(number=1))
    await queue.time.advance(1.9)
    assert queue.numbers == [1]
    await queue.time.advance(0.2)
    await asyncio.gather(back, *tasks)
    assert queue.numbers == [1, 1, 2, 3, 4]


async def test_places_are_told_when_they_change_and_not_too_often() -> None:
    queue, told = Queue(notice=2.2), list[tuple[float, str, float, int]]()

    async def on_pause(provider: str, seconds: float, position: int) -> None:
        told.append((round(queue.time.now - 1000, 2), provider, round(seconds, 2), position))

    await queue.fill()
    tasks = [queue.start() for _ in range(4)]
    await queue.time.settle()
    tasks.append(queue.start(on_pause=on_pause))
    await queue.time.advance(7)
    await asyncio.gather(*tasks)
    assert told == [(0.0, "p", 5.0, 5), (2.2, "p", 2.8, 3), (4.4, "p", 0.6, 1)]
    assert queue.time.pending == 0


async def test_a_short_wait_is_not_told() -> None:
    queue, told = Queue(Limit(100, 10)), list[int]()

    async def on_pause(provider: str, seconds: float, position: int) -> None:
        told.append(position)

    tasks = [queue.start(on_pause=on_pause) for _ in range(105)]
    await queue.time.advance(5)
    await asyncio.gather(*tasks)
    assert told == []


async def test_who_cannot_be_told_leaves() -> None:
    queue = Queue()

    async def on_pause(provider: str, seconds: float, position: int) -> None:
        raise RuntimeError("gone")

    await queue.fill()
    task = queue.start(on_pause=on_pause)
    with pytest.raises(RuntimeError, match="gone"):
        await task
    assert queue.queue.waiting == 0


async def disturb(queue: Queue, tasks: list[asyncio.Task[None]], rng: Random) -> None:
    """Let time pass, have the provider pause, or cancel one, at whatever await it has come to."""
    if rng.random() < 0.3:
        await queue.time.advance(rng.choice([0.0, 0.01, 0.1]))
    if rng.random() < 0.3:
        for _ in range(rng.randrange(3)):
            await asyncio.sleep(0)
        rng.choice(tasks).cancel()
    if rng.random() < 0.01:
        queue.queue.pause(rng.random())


@pytest.mark.parametrize("seed", range(3))
async def test_a_thousand_that_come_and_go_leave_in_order_and_take_nothing_along(seed: int) -> None:
    rng = Random(seed)
    queue = Queue(Limit(100, 10), patience=200.0)
    tasks: list[asyncio.Task[None]] = []

    async def on_pause(provider: str, seconds: float, position: int) -> None:
        await asyncio.sleep(0)

    for _ in range(1000):
        tenant = rng.choice("aaab")
        tasks.append(queue.start(tenant, on_pause if rng.random() < 0.3 else None))
        await disturb(queue, tasks, rng)
    await queue.time.advance(200)
    await asyncio.gather(*tasks, return_exceptions=True)
    assert not queue.refused
    for tenant in "ab":
        numbers = [number for _, one, number in queue.begun if one == tenant]
        assert numbers == sorted(numbers)
    assert len(queue.begun) == sum(not task.cancelled() for task in tasks)
    assert most_in_a_window([moment for moment, _, _ in queue.begun], 10) <= 200
    assert queue.queue.waiting == 0
    await queue.time.advance(2.1)  # the notices end
    assert queue.time.pending == 0
    before = len(queue.begun)  # no grant was lost: the bucket is full again
    await queue.time.advance(20)
    for _ in range(100):
        await queue.call()
    assert {moment for moment, _, _ in queue.begun[before:]} == {queue.time.now}


async def test_a_tenant_that_floods_gets_no_more_than_the_others() -> None:
    queue = Queue(Limit(60, 60))
    tasks: list[asyncio.Task[None]] = []
    for _ in range(600):
        tasks += [queue.start("flood") for _ in range(5)]
        tasks += [queue.start(tenant) for tenant in "ab"]
        await queue.time.advance(1)
    await queue.time.advance(60)
    await asyncio.gather(*tasks)
    begun = Counter(tenant for moment, tenant, _ in queue.begun if 1100 <= moment < 1600)
    shares = [begun[tenant] for tenant in ("flood", "a", "b")]
    jain = sum(shares) ** 2 / (3 * sum(share**2 for share in shares))
    assert jain >= 0.99
    assert sum(shares) == pytest.approx(500, abs=2)

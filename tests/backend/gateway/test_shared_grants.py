"""Processes that count together keep to one limit, and each to its share without a counter."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from random import Random

import pytest
from structlog.testing import capture_logs
from tests.backend.gateway.test_pacing import most_in_a_window
from tests.backend.gateway.virtual_time import VirtualTime

from cartrita.domain.errors import Unavailable
from cartrita.domain.limits import Limit, LimitKey
from cartrita.gateway.call_queues import CallQueue, GrantRequest, QueuePolicy
from cartrita.gateway.shared_grants import CountedGrants, SharedGrants, SharingPolicy
from cartrita.kit.owned_tasks import OwnedTasks

KEY = LimitKey("p")
LIMIT = Limit(100, 10)


class Counter:
    """Counts in memory, by the clock of the test; it may be away, or wait to be let go on."""

    def __init__(self, time: VirtualTime) -> None:
        self.time = time
        self.due: dict[LimitKey, float] = {}
        self.asked: list[int] = []
        self.error: Exception | None = None
        self.open = asyncio.Event()
        self.open.set()

    async def reserve(
        self, key: LimitKey, *, count: int, interval: float, ahead: float = 0.0
    ) -> float:
        self.asked.append(count)
        await self.open.wait()
        if self.error is not None:
            raise self.error
        due = max(self.due.get(key, 0.0), self.time.now + ahead) + count * interval
        self.due[key] = due
        return due - self.time.now


class Processes:
    """Some processes with a queue each, which count together."""

    def __init__(self, time: VirtualTime, tasks: OwnedTasks, policy: SharingPolicy) -> None:
        self.time = time
        self.counter = Counter(time)
        self.begun: list[tuple[float, int]] = []
        self.tasks: list[asyncio.Task[None]] = []
        self.queues = [
            CallQueue(
                KEY,
                lambda wake: SharedGrants(self.counter, tasks, policy, clock=time.clock).grants(
                    KEY, LIMIT, wake
                ),
                QueuePolicy(),
                time.later,
            )
            for _ in range(policy.sharers)
        ]
        self._numbers = 0

    async def call(self, process: int) -> None:
        self._numbers += 1
        queue = self.queues[process]
        if not queue.take():
            await queue.wait(GrantRequest(tenant="a", number=self._numbers), 30.0)
        self.begun.append((self.time.now, process))

    def start(self, process: int, calls: int) -> None:
        loop = asyncio.get_running_loop()
        self.tasks += [loop.create_task(self.call(process)) for _ in range(calls)]

    async def done(self) -> None:
        await asyncio.gather(*self.tasks)
        self.tasks.clear()


@asynccontextmanager
async def counting(time: VirtualTime) -> AsyncGenerator[SharedGrants]:
    """A store that counts each credential by itself, and reserves ahead of need."""
    tasks = OwnedTasks()
    async with asyncio.TaskGroup() as group:
        owner = group.create_task(tasks.run())
        await asyncio.sleep(0)
        policy = SharingPolicy(block=10)
        yield SharedGrants(Counter(time), tasks, policy, clock=time.clock)
        owner.cancel()


@asynccontextmanager
async def running(**policy: float) -> AsyncGenerator[Processes]:
    tasks = OwnedTasks()
    async with asyncio.TaskGroup() as group:
        owner = group.create_task(tasks.run())
        await asyncio.sleep(0)
        chosen = SharingPolicy(**policy)  # pyright: ignore[reportArgumentType]
        yield Processes(VirtualTime(), tasks, chosen)
        owner.cancel()


@pytest.mark.parametrize(("block", "more"), [(1, 2), (10, 20)])
async def test_two_processes_keep_to_one_limit(block: int, more: int) -> None:
    async with running(sharers=2, block=block) as both:
        for process in (0, 1):
            both.start(process, 200)
        await both.time.advance(20)
        within = sum(moment <= 1020 for moment, _ in both.begun)
        assert 300 - more <= within <= 301  # the bucket, and two periods
        assert most_in_a_window([moment for moment, _ in both.begun], 10) <= 200
        await both.time.advance(15)
        await both.done()


async def test_slots_are_reserved_ahead_of_need() -> None:
    async with running(block=10) as one:
        await one.call(0)  # the first waits for the counter
        await one.time.settle()
        for _ in range(60):  # with time to ask between them, none of the others does
            assert one.queues[0].take()
            await one.time.settle()
        assert set(one.counter.asked) == {5}


async def test_without_blocks_a_slot_is_reserved_when_a_call_waits_for_it() -> None:
    async with running(block=1) as one:
        await one.time.advance(5)
        assert one.counter.asked == []
        one.start(0, 3)
        await one.time.settle()
        await one.time.settle()
        await one.done()
        assert one.counter.asked == [1, 1, 1]


async def test_no_more_than_one_question_is_on_its_way() -> None:
    async with running(block=1) as one:
        one.counter.open.clear()
        one.start(0, 50)
        await one.time.advance(1)
        assert one.counter.asked == [1]
        one.counter.open.set()
        await one.time.advance(1)
        await one.done()


async def test_a_slot_that_nobody_wants_any_more_is_kept_for_the_next_and_then_lapses() -> None:
    async with running(block=1) as one:
        one.start(0, 1)
        await asyncio.sleep(0)
        one.tasks.pop().cancel()
        await one.time.settle()
        assert one.queues[0].take()
        assert one.counter.asked == [1]
        one.start(0, 1)
        await asyncio.sleep(0)
        one.tasks.pop().cancel()
        await one.time.advance(11)
        assert not one.queues[0].take()
        await one.time.settle()
        assert one.counter.asked == [1, 1, 1]


async def test_without_its_counter_each_process_keeps_to_its_share() -> None:
    async with running(sharers=2, block=1, retry_s=60.0) as both:
        both.counter.error = Unavailable("It is away.")
        with capture_logs() as logs:
            for process in (0, 1):
                both.start(process, 100)
            await both.time.advance(10)
        for process in (0, 1):
            assert sum(one == process for _, one in both.begun) == pytest.approx(50, abs=1)
        assert [each["event"] for each in logs] == ["limits_away"] * 2  # one for each process
        await both.time.advance(15)
        await both.done()


@pytest.mark.parametrize("error", [Unavailable("Away."), ValueError("A defect.")])
async def test_what_is_back_is_asked_again(error: Exception) -> None:
    async with running(block=1, retry_s=1.0) as one:
        with capture_logs() as logs:
            one.counter.error = error
            one.start(0, 60)
            await one.time.advance(1.5)
            one.counter.error = None
            asked = len(one.counter.asked)
            await one.time.advance(5)
            assert len(one.counter.asked) > asked
        assert logs[-1]["event"] == "limits_back"
        await one.done()


async def test_a_counter_that_comes_and_goes_loses_no_call() -> None:
    rng = Random(7)
    async with running(sharers=2, block=10, retry_s=0.2) as both:
        for _ in range(150):
            both.start(rng.randrange(2), rng.randrange(3))
            both.counter.error = Unavailable("Away.") if rng.random() < 0.3 else None
            if both.tasks and rng.random() < 0.1:
                rng.choice(both.tasks).cancel()
            if rng.random() < 0.05:
                both.queues[rng.randrange(2)].pause(rng.random())
            await both.time.advance(rng.random() / 5)
        await both.time.advance(60)
        await asyncio.gather(*both.tasks, return_exceptions=True)
        assert sum(queue.waiting for queue in both.queues) == 0
        assert len(both.begun) == sum(not task.cancelled() for task in both.tasks)
        assert most_in_a_window([moment for moment, _ in both.begun], 10) <= 220


async def test_a_pause_is_for_all_processes() -> None:
    async with running(sharers=2, block=1) as both:
        both.start(1, 1)
        await both.time.settle()
        both.queues[0].pause(3.0)
        await both.time.settle()
        for process in (0, 1):
            both.start(process, 5)
        await both.time.advance(2.9)
        assert len(both.begun) == 1
        await both.time.advance(2)
        await both.done()
        moments = [moment - 1000 for moment, _ in both.begun[1:]]
        assert moments == pytest.approx([3 + each / 10 for each in range(10)], abs=0.02)


async def test_a_pause_holds_without_the_counter_too() -> None:
    async with running(sharers=1, block=1, retry_s=60.0) as one:
        one.counter.error = Unavailable("It is away.")
        one.start(0, 1)
        await one.time.settle()
        one.queues[0].pause(3.0)
        one.start(0, 2)
        await one.time.advance(2.9)
        assert len(one.begun) == 1
        await one.time.advance(1)
        await one.done()


async def test_the_wait_that_is_foreseen_is_that_of_the_shared_limit() -> None:
    async with running(sharers=2, block=1) as both:
        queue = both.queues[0]
        assert queue.eta("a", 1) == 0.0
        both.start(1, 150)
        await both.time.advance(6)
        await both.done()
        both.start(0, 20)
        await both.time.settle()
        assert queue.eta("a", 1000) == pytest.approx(0.1 * (queue.waiting + 1), abs=0.2)
        await both.time.advance(3)
        await both.done()


async def test_when_the_server_ends_the_share_is_enough() -> None:
    time = VirtualTime()
    counter = Counter(time)
    store = SharedGrants(counter, OwnedTasks(), SharingPolicy(), clock=time.clock)
    grants = store.grants(KEY, LIMIT, lambda: None)
    assert isinstance(grants, CountedGrants)
    assert grants.take() == 0.0
    assert grants.take() == pytest.approx(0.1)
    grants.give_back()
    assert grants.take() == 0.0
    grants.pause(1.0)
    assert grants.take() == 1.0
    assert grants.eta(1) == pytest.approx(1.0)
    assert counter.asked == []


async def test_without_a_limit_nothing_is_counted() -> None:
    time = VirtualTime()
    counter = Counter(time)
    store = SharedGrants(counter, OwnedTasks(), SharingPolicy(), clock=time.clock)
    grants = store.grants(KEY, None, lambda: None)
    assert [grants.take() for _ in range(1000)] == [0.0] * 1000
    assert counter.asked == []

"""A cache that does not answer costs one bounded wait at most, and is found again."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
import structlog

from cartrita.domain.cached_answers import CachedAnswer, CacheKey
from cartrita.domain.errors import StorageFull, Unavailable
from cartrita.gateway.memory_cache import MemoryCache
from cartrita.gateway.paused_cache import PausedCache

KEY = CacheKey("ann", b"a")
ANSWER = CachedAnswer(provider="p", model="m", deltas=())


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Store:
    """A cache in memory that waits for `thawed`, and then raises `error` if there is one."""

    def __init__(self) -> None:
        self._kept = MemoryCache()
        self.thawed = asyncio.Event()
        self.thawed.set()
        self.error: Exception | None = None
        self.asked = 0
        self.ended = asyncio.Event()

    async def get(self, key: CacheKey, ttl: float) -> CachedAnswer | None:
        await self._answer()
        return await self._kept.get(key, ttl)

    async def put(self, key: CacheKey, answer: CachedAnswer, ttl: float) -> None:
        await self._answer()
        await self._kept.put(key, answer, ttl)

    async def _answer(self) -> None:
        self.asked += 1
        await self.thawed.wait()
        self.ended.set()
        if self.error is not None:
            raise self.error


@pytest.fixture
async def store() -> Store:
    return Store()


@asynccontextmanager
async def paused(
    store: Store, clock: Clock, timeout_s: float = 0.01
) -> AsyncGenerator[PausedCache]:
    cache = PausedCache(store, timeout_s=timeout_s, pause_s=10, clock=clock)
    async with asyncio.TaskGroup() as tasks:
        owner = tasks.create_task(cache.run())
        await asyncio.sleep(0)
        yield cache
        owner.cancel()


async def test_answers_are_kept_and_found(store: Store) -> None:
    async with paused(store, Clock(), timeout_s=10) as cache:
        assert await cache.get(KEY, 60) is None
        await cache.put(KEY, ANSWER, 60)
        assert await cache.get(KEY, 60) == ANSWER


async def test_a_frozen_cache_costs_one_wait(store: Store) -> None:
    clock = Clock()
    async with paused(store, clock) as cache:
        store.thawed.clear()
        with structlog.testing.capture_logs() as logs, pytest.raises(Unavailable):
            await cache.get(KEY, 60)
        assert [each["event"] for each in logs] == ["cache_away"]
        for _ in range(100):
            assert await cache.get(KEY, 60) is None
            await cache.put(KEY, ANSWER, 60)
        assert store.asked == 1
        clock.now = 10
        with pytest.raises(Unavailable):  # one tries it again
            await cache.put(KEY, ANSWER, 60)
        assert await cache.get(KEY, 60) is None
        assert store.asked == 2
        store.thawed.set()


async def test_while_one_tries_again_the_others_do_not_wait(store: Store) -> None:
    clock = Clock()
    async with paused(store, clock) as cache:
        store.thawed.clear()
        with pytest.raises(Unavailable):
            await cache.get(KEY, 60)
        clock.now = 10
        tries = await asyncio.gather(
            *(cache.get(KEY, 60) for _ in range(5)), return_exceptions=True
        )
        assert [type(each) for each in tries] == [Unavailable] + [type(None)] * 4
        store.thawed.set()


async def test_one_that_is_away_is_found_again(store: Store) -> None:
    clock = Clock()
    async with paused(store, clock, timeout_s=10) as cache:
        store.error = Unavailable("away")
        with pytest.raises(Unavailable):
            await cache.put(KEY, ANSWER, 60)
        store.error = None
        await cache.put(KEY, ANSWER, 60)
        assert store.asked == 1
        clock.now = 10
        with structlog.testing.capture_logs() as logs:
            await cache.put(KEY, ANSWER, 60)
            assert await cache.get(KEY, 60) == ANSWER
        assert [each["event"] for each in logs] == ["cache_back"]


async def test_what_was_put_late_is_found(store: Store) -> None:
    clock = Clock()
    async with paused(store, clock) as cache:
        store.thawed.clear()
        with pytest.raises(Unavailable):
            await cache.put(KEY, ANSWER, 60)
        store.thawed.set()
        await store.ended.wait()
        await asyncio.sleep(0)
        assert await store.get(KEY, 60) == ANSWER


@pytest.mark.parametrize(
    ("error", "told"), [(Unavailable("away"), []), (ValueError("a bug"), ["cache_failed"])]
)
async def test_how_it_failed_late_is_told_if_it_is_new(
    store: Store, error: Exception, told: list[str]
) -> None:
    async with paused(store, Clock()) as cache:
        store.thawed.clear()
        store.error = error
        with pytest.raises(Unavailable):
            await cache.get(KEY, 60)
        with structlog.testing.capture_logs() as logs:
            store.thawed.set()
            await store.ended.wait()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        assert [each["event"] for each in logs] == told


async def test_a_full_disk_stops_no_reading(store: Store) -> None:
    async with paused(store, Clock(), timeout_s=10) as cache:
        store.error = StorageFull("full")
        with pytest.raises(StorageFull):
            await cache.put(KEY, ANSWER, 60)
        store.error = None
        assert await cache.get(KEY, 60) is None
        assert store.asked == 2


async def test_what_nobody_waits_for_ends_with_its_owner(store: Store) -> None:
    ended = asyncio.Event()

    class Waiting(Store):
        async def _answer(self) -> None:
            try:
                await super()._answer()
            finally:
                ended.set()

    waiting = Waiting()
    waiting.thawed.clear()
    async with paused(waiting, Clock()) as cache:
        with pytest.raises(Unavailable):
            await cache.get(KEY, 60)
        assert not ended.is_set()
    assert ended.is_set()
    assert await cache.get(KEY, 60) is None
    await cache.put(KEY, ANSWER, 60)
    assert waiting.asked == 1


async def test_who_waits_when_it_ends_is_told_so(store: Store) -> None:
    store.thawed.clear()
    async with paused(store, Clock(), timeout_s=20) as cache:
        asking = asyncio.create_task(cache.get(KEY, 60))
        for _ in range(3):
            await asyncio.sleep(0)
        assert store.asked == 1
    with pytest.raises(Unavailable):
        await asking

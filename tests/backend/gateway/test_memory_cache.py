"""Answers are kept in memory within bounds, and no longer than they are good for."""

from tests.backend.gateway.fakes import DONE, Time

from cartrita.domain.cached_answers import CacheBounds, CachedAnswer, CacheKey
from cartrita.domain.deltas import TextDelta
from cartrita.gateway.memory_cache import MemoryCache


def kept(text: str = "Hi") -> CachedAnswer:
    return CachedAnswer(provider="p", model="m", deltas=(TextDelta(text), DONE))


def key(name: str) -> CacheKey:
    return CacheKey("ann", name.encode())


async def test_what_was_put_comes_back_until_it_is_too_old() -> None:
    time = Time()
    cache = MemoryCache(clock=time.clock)
    await cache.put(key("a"), kept(), 10)
    time.now += 9
    assert await cache.get(key("a"), 10) == kept()
    time.now += 1
    assert await cache.get(key("a"), 60) is None
    assert await cache.get(key("a"), 60) is None


async def test_a_reader_who_wants_a_younger_one_gets_none() -> None:
    time = Time()
    cache = MemoryCache(clock=time.clock)
    await cache.put(key("a"), kept(), 86_400)
    time.now += 3600
    assert await cache.get(key("a"), 60) is None
    assert await cache.get(key("a"), 3601) == kept()


async def test_a_reader_who_wants_a_younger_one_shortens_nothing() -> None:
    time = Time()
    cache = MemoryCache(clock=time.clock)
    await cache.put(key("a"), kept(), 86_400)
    time.now += 3600
    await cache.put(key("a"), kept("newer"), 60)
    time.now += 3600
    assert await cache.get(key("a"), 60) is None
    assert await cache.get(key("a"), 86_400) == kept("newer")
    time.now += 86_400 - 3600
    assert await cache.get(key("a"), 86_400) is None


async def test_a_reader_who_takes_older_ones_keeps_it_longer() -> None:
    time = Time()
    cache = MemoryCache(clock=time.clock)
    await cache.put(key("a"), kept(), 60)
    time.now += 30
    assert await cache.get(key("a"), 3600) == kept()
    time.now += 3569
    assert await cache.get(key("a"), 3600) == kept()
    time.now += 1
    assert await cache.get(key("a"), 86_400) is None


async def test_the_least_used_leave_first() -> None:
    cache = MemoryCache(CacheBounds(entries=2))
    await cache.put(key("a"), kept(), 10)
    await cache.put(key("b"), kept(), 10)
    await cache.get(key("a"), 60)
    await cache.put(key("c"), kept("new"), 10)
    await cache.put(key("c"), kept("newer"), 10)
    assert await cache.get(key("a"), 60) == kept()
    assert await cache.get(key("b"), 60) is None
    assert await cache.get(key("c"), 60) == kept("newer")


async def test_bytes_are_bounded_too() -> None:
    cache = MemoryCache(CacheBounds(total_bytes=400, entry_bytes=300))
    await cache.put(key("long"), kept("x" * 400), 10)
    assert await cache.get(key("long"), 60) is None
    await cache.put(key("a"), kept("x" * 150), 10)
    await cache.put(key("b"), kept("x" * 150), 10)
    assert await cache.get(key("a"), 60) is None
    assert await cache.get(key("b"), 60) is not None

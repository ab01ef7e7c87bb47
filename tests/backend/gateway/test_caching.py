"""Answers are kept within bounds, by everything that was asked."""

import pytest
from msgspec.structs import replace
from tests.backend.gateway.fakes import DONE, REQUEST, LineMonitor, Time, asking

from cartrita.domain.cached_answers import CacheBounds, CachedAnswer, CacheKey
from cartrita.domain.deltas import TextDelta
from cartrita.domain.errors import Malformed
from cartrita.domain.messages import Message, Role, ToolResult
from cartrita.domain.relays import Endpoint
from cartrita.domain.requests import Sampling, VendorFields
from cartrita.domain.tools import ToolSpec
from cartrita.gateway.caching import MemoryCache, body_key, cache_key, is_cacheable
from cartrita.gateway.calls import Relayable


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


def test_requests_are_equal_if_all_of_them_is() -> None:
    made = cache_key(REQUEST, "r")
    assert made == cache_key(replace(REQUEST, model="other"), "r")
    others = [
        replace(REQUEST, owner_id="other"),
        replace(REQUEST, sampling=Sampling(temperature=0.0)),
        replace(REQUEST, vendor=VendorFields("openai_chat", {"service_tier": "flex"})),
        asking("Ho"),
    ]
    assert len({made, cache_key(REQUEST, "s"), *(cache_key(one, "r") for one in others)}) == 6


def test_the_order_of_fields_makes_no_difference() -> None:
    one = replace(REQUEST, vendor=VendorFields("d", {"a": 1, "b": 2}))
    two = replace(REQUEST, vendor=VendorFields("d", {"b": 2, "a": 1}))
    assert cache_key(one, "r") == cache_key(two, "r")


@pytest.mark.parametrize(
    "request_",
    [
        replace(REQUEST, tools=(ToolSpec("f", "", {}),)),
        replace(REQUEST, messages=(Message(Role.TOOL, (ToolResult("c", ()),)),)),
    ],
)
def test_where_tools_are_in_use_nothing_is_kept(request_) -> None:
    assert is_cacheable(REQUEST)
    assert not is_cacheable(request_)


def test_headers_that_choose_a_beta_count_and_names_of_requests_do_not() -> None:
    def key_with(**headers: str) -> CacheKey:
        passed_on = {name.replace("_", "-"): value for name, value in headers.items()}
        relay = Relayable(
            endpoint=Endpoint.MESSAGES, rewrite=str.encode, monitor=LineMonitor, headers=passed_on
        )
        return cache_key(REQUEST, "r", relay)

    assert key_with() == key_with(x_client_request_id="1") == cache_key(REQUEST, "r")
    assert key_with() != key_with(anthropic_beta="new")


def test_bodies_are_equal_whatever_the_order_of_their_fields() -> None:
    assert body_key(b'{"a": 1, "b": [2]}') == body_key(b'{"b":[2],"a":1}')
    assert body_key(b'{"a":1}') != body_key(b'{"a":2}')
    with pytest.raises(Malformed):
        body_key(b"{")

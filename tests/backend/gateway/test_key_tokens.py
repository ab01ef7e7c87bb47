"""A key that has used its tokens of a minute begins no call, and others are not held to that."""

from typing import Any

import pytest
from tests.backend.gateway.fakes import (
    Ledger,
    NamedProvider,
    answer_to,
    call,
    create_gateway,
    cut,
    text_of,
)
from tests.backend.gateway.virtual_time import VirtualTime

from cartrita.domain.deltas import Finished, FinishReason, TextDelta
from cartrita.domain.errors import RateLimited
from cartrita.domain.scopes import Scopes
from cartrita.domain.usage import Usage
from cartrita.gateway.calls import CacheWish, Call
from cartrita.gateway.metering import Meter

SIXTY = [TextDelta("hello"), Finished(FinishReason.STOP, Usage(20, 40))]


class Metered:
    """A gateway whose answers have sixty tokens."""

    def __init__(self, *scripts: Any, ledger: Ledger | None = None) -> None:
        self.time = VirtualTime()
        self.provider = NamedProvider("p", *(scripts or (SIXTY,)), models=("gpt-4o",))
        self.gateway = create_gateway(
            self.provider, clock=self.time.clock, meter=Meter(ledger, clock=self.time.clock)
        )

    async def ask(self, limit: int | None, **fields: Any) -> str:
        asked = keyed(limit, **fields)
        return text_of((await answer_to(self.gateway, asked))[1])

    async def refusal(self, limit: int) -> RateLimited:
        with pytest.raises(RateLimited) as caught:
            await self.ask(limit)
        return caught.value


def keyed(limit: int | None, **fields: Any) -> Call:
    given: dict[str, Any] = {"key_id": "key_1", "scopes": Scopes(tokens_per_minute=limit), **fields}
    return call("p/gpt-4o", **given)


@pytest.mark.parametrize("ledger", [None, Ledger()])
async def test_what_goes_beyond_the_limit_delays_the_next_calls(ledger: Ledger | None) -> None:
    metered = Metered(ledger=ledger)
    for _ in range(2):
        assert await metered.ask(100) == "hello"
    error = await metered.refusal(100)
    assert (error.code, error.details) == ("rate_limited", {"limit": "key_tokens"})
    assert "100 tokens in a minute" in error.message
    assert error.retry_after == pytest.approx(60 + 10)  # 100 of 120 count for five sixths of it
    metered.time.now += (error.retry_after or 0.0) - 0.1
    assert (await metered.refusal(100)).retry_after == pytest.approx(0.1)
    metered.time.now += 0.6
    assert await metered.ask(100) == "hello"


async def test_only_the_key_that_has_used_them_is_refused() -> None:
    metered = Metered()
    for _ in range(2):
        await metered.ask(50)
        metered.time.now += 200
    await metered.ask(50)
    await metered.refusal(50)
    assert len(metered.provider.requests) == 3
    for fields in ({"key_id": "key_2"}, {"key_id": None}):
        assert await metered.ask(50, **fields) == "hello"
    assert await metered.ask(None) == "hello"
    assert await metered.ask(100) == "hello"  # as soon as its scope says more


async def test_calls_that_cost_nothing_are_neither_counted_nor_refused() -> None:
    metered = Metered()
    for _ in range(3):
        await metered.ask(50, recorded=False)
    await metered.ask(50)
    await metered.ask(50, recorded=False)


async def test_each_leg_of_an_answer_counts() -> None:
    broken = [TextDelta("one two three four five six"), cut()]
    metered = Metered(broken, SIXTY)
    assert "hello" in await metered.ask(61)
    await metered.refusal(61)  # and not 60: the first leg had its request and what it said


async def test_an_answer_from_the_cache_uses_none() -> None:
    metered = Metered()
    for _ in range(5):
        await metered.ask(100, cache=CacheWish())
    assert await metered.ask(100) == "hello"

"""How calls of providers go is counted: failures, retries, failovers, waits."""

import asyncio
from typing import Any

import pytest
from tests.backend.application.fakes import until
from tests.backend.gateway.fakes import (
    DONE,
    ListingProvider,
    NamedProvider,
    RelayingProvider,
    answer_to,
    call,
    create_gateway,
    cut,
    overloaded,
    relayed_call,
)
from tests.backend.gateway.virtual_time import VirtualTime

from cartrita.domain.deltas import TextDelta
from cartrita.domain.errors import RateLimited, UpstreamAuth, UpstreamError
from cartrita.domain.limits import Limit
from cartrita.domain.uncounted import Uncounted
from cartrita.gateway.call_queues import QueuePolicy
from cartrita.gateway.calls import CacheWish
from cartrita.gateway.catalog import Catalog, ProviderEntry, ProviderOrigin
from cartrita.gateway.limiting import Limiter
from cartrita.gateway.routes import Deployment, Route, Target

TWO = {"r": Route(targets=(Target("a/m"), Target("b/m")), continue_with="any")}
REST = [TextDelta("ty-two."), DONE]


class Kept(Uncounted):
    """Keeps what was counted."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []

    def failed(self, provider: str, code: str) -> None:
        self.told.append(("failed", provider, code))

    def retried(self, provider: str) -> None:
        self.told.append(("retried", provider))

    def failed_over(self, provider: str, *, continued: bool) -> None:
        self.told.append(("failed_over", provider, continued))

    def looked_up(self, *, hit: bool) -> None:
        self.told.append(("looked_up", hit))

    def waited(self, provider: str, seconds: float, *, begun: bool) -> None:
        self.told.append(("waited", provider, round(seconds, 1), begun))


async def test_an_answer_is_nothing_to_count_but_in_the_ledger() -> None:
    counts = Kept()
    await answer_to(create_gateway(NamedProvider("a"), counts=counts), call("a/m"))
    assert counts.told == []


async def test_another_attempt_of_the_same_deployment() -> None:
    counts, told = Kept(), NamedProvider("a", [overloaded()], [TextDelta("Hi"), DONE])
    await answer_to(create_gateway(told, counts=counts), call("a/m"))
    assert counts.told == [("failed", "a", "upstream_overloaded"), ("retried", "a")]


async def test_another_deployment() -> None:
    counts = Kept()
    one, two = NamedProvider("a", [overloaded()]), NamedProvider("b")
    await answer_to(create_gateway(one, two, routes=TWO, counts=counts), call("r"))
    assert counts.told == [("failed", "a", "upstream_overloaded"), ("failed_over", "a", False)]


async def test_an_answer_that_is_gone_on_with() -> None:
    counts = Kept()
    one = NamedProvider("a", [TextDelta("The answer is"), TextDelta(" for"), cut()])
    two = NamedProvider("b", REST)
    await answer_to(create_gateway(one, two, routes=TWO, counts=counts), call("r"))
    assert counts.told == [("failed", "a", "upstream_cut"), ("failed_over", "a", True)]


async def test_one_that_nobody_can_go_on_with() -> None:
    counts = Kept()
    relaying = RelayingProvider("a", [b"Hel\nl", cut()], scripts=[[overloaded()]])
    with pytest.raises(UpstreamError):
        await answer_to(create_gateway(relaying, counts=counts), relayed_call("a/x"))
    assert counts.told[0] == ("failed", "a", "upstream_cut")
    assert not any(one[0] == "failed_over" for one in counts.told)


async def test_a_code_that_a_provider_chose_is_not_told() -> None:
    counts = Kept()
    error = UpstreamAuth("No.", provider="a", code="chosen_by_somebody")
    with pytest.raises(UpstreamAuth):
        await answer_to(create_gateway(NamedProvider("a", [error]), counts=counts), call("a/m"))
    assert counts.told == [("failed", "a", "upstream_auth")]


class Waiting:
    """A gateway whose provider may be called once in 10 s."""

    def __init__(self, patience: float = 30.0) -> None:
        self.time, self.counts = VirtualTime(), Kept()
        self.limiter = Limiter(
            {"p": Limit(1, 10)},
            policy=QueuePolicy(patience=patience),
            clock=self.time.clock,
            later=self.time.later,
            counts=self.counts,
        )
        self.gateway = create_gateway(
            NamedProvider("p"), clock=self.time.clock, limiter=self.limiter, counts=self.counts
        )


async def test_a_turn_that_comes() -> None:
    waiting = Waiting()
    await answer_to(waiting.gateway, call("p/m"))
    assert waiting.limiter.waiting() == {"p": 0}
    asked = asyncio.get_running_loop().create_task(answer_to(waiting.gateway, call("p/m")))
    await waiting.time.settle()
    assert waiting.limiter.waiting() == {"p": 1}
    await waiting.time.advance(10.1)
    await asked
    assert waiting.limiter.waiting() == {"p": 0}
    assert waiting.counts.told == [("waited", "p", 10.0, True)]


async def test_a_turn_that_would_come_too_late() -> None:
    waiting = Waiting(patience=5.0)
    await answer_to(waiting.gateway, call("p/m"))
    with pytest.raises(RateLimited):
        await answer_to(waiting.gateway, call("p/m"))
    assert waiting.counts.told == [("waited", "p", 0.0, False)]


class TestKnownModels:
    async def test_those_of_a_list_and_of_the_settings(self) -> None:
        provider = ListingProvider("openai", "gpt-5.4")
        entry = ProviderEntry(
            provider=provider, origin=ProviderOrigin.API_KEY, default_model="mine"
        )
        catalog = Catalog([entry])
        assert catalog.knows(Deployment("openai", "mine"))
        assert not catalog.knows(Deployment("openai", "gpt-5.4"))
        await catalog.models()
        assert catalog.knows(Deployment("openai", "gpt-5.4"))
        assert not catalog.knows(Deployment("openai", "made-up"))
        assert not catalog.knows(Deployment("nobody", "gpt-5.4"))

    async def test_a_provider_that_was_never_asked_is(self) -> None:
        provider = ListingProvider("openai", "gpt-5.4")
        entry = ProviderEntry(provider=provider, origin=ProviderOrigin.API_KEY)
        catalog = Catalog([entry])
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(catalog.run())
            await asyncio.sleep(0)
            assert not catalog.knows(Deployment("openai", "gpt-5.4"))
            await until(lambda: catalog.knows(Deployment("openai", "gpt-5.4")))
            assert not catalog.knows(Deployment("openai", "made-up"))
            running.cancel()


async def test_who_waits_for_an_answer_hits() -> None:
    counts, told = Kept(), NamedProvider("a")
    gateway = create_gateway(told, counts=counts)
    asked = [answer_to(gateway, call("a/m", cache=CacheWish(60.0))) for _ in range(5)]
    await asyncio.gather(*asked)
    assert len(told.requests) == 1
    assert sorted(counts.told) == [("looked_up", False), *[("looked_up", True)] * 4]

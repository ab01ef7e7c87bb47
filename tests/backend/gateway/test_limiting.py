"""Every call of a provider takes its turn: attempts, failovers, continuations, relayed or not."""

import asyncio
from collections.abc import AsyncGenerator
from math import inf
from typing import Any

import pytest
from msgspec.structs import replace
from tests.backend.gateway.fakes import (
    DONE,
    Ledger,
    NamedProvider,
    RelayingProvider,
    answer_to,
    call,
    create_gateway,
    cut,
    items_of,
    overloaded,
    relayed_call,
    text_of,
)
from tests.backend.gateway.test_shared_grants import counting
from tests.backend.gateway.virtual_time import VirtualTime

from cartrita.domain.credentials import CallCredential
from cartrita.domain.deltas import TextDelta
from cartrita.domain.errors import (
    CartritaError,
    LeaseLost,
    RateLimited,
    Unavailable,
    UpstreamCut,
    UpstreamLimited,
    UpstreamOverloaded,
)
from cartrita.domain.limits import Limit
from cartrita.domain.ports.providers import ModelProvider
from cartrita.gateway.answers import Answer
from cartrita.gateway.call_queues import QueuePolicy
from cartrita.gateway.calls import CacheWish, Call
from cartrita.gateway.limiting import Limiter
from cartrita.gateway.metering import Meter
from cartrita.gateway.retry import RetryPolicy
from cartrita.gateway.routes import Route, Target
from cartrita.kit.secret import Secret

ONE = Limit(1, 10)
HELLO = [TextDelta("hello"), DONE]


def limited(retry_after: float | None) -> UpstreamLimited:
    return UpstreamLimited("p wants fewer calls.", provider="p", retry_after=retry_after)


class Limited:
    """A gateway whose providers may each be called once in 10 s, and what is asked of it."""

    def __init__(
        self,
        *providers: ModelProvider,
        limits: dict[str, Limit] | None = None,
        patience: float = 30.0,
        **values: Any,
    ) -> None:
        self.time = VirtualTime()
        self.ledger = Ledger()
        self.slept: list[float] = []
        given = {one.name: ONE for one in providers} if limits is None else limits
        self.limiter = Limiter(
            given,
            policy=QueuePolicy(patience=patience),
            clock=self.time.clock,
            later=self.time.later,
        )
        self.gateway = create_gateway(
            *providers,
            clock=self.time.clock,
            sleep=self._sleep,
            meter=Meter(self.ledger, clock=self.time.clock),
            limiter=self.limiter,
            **values,
        )

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        done = asyncio.Event()
        self.time.later(seconds, done.set)
        await done.wait()

    def start(self, asked: Call) -> "asyncio.Task[tuple[Answer, list[Any]]]":
        return asyncio.get_running_loop().create_task(answer_to(self.gateway, asked))

    async def ask(self, asked: Call, within: float = 0.0) -> tuple[Answer, list[Any]]:
        task = self.start(asked)
        await self.time.advance(within)
        assert task.done()
        return task.result()


@pytest.mark.parametrize("relays", [True, False])
async def test_the_second_call_waits_for_its_turn_and_is_measured_from_there(relays: bool) -> None:
    provider = RelayingProvider("p", [b"hi\n", b".\n"]) if relays else NamedProvider("p")
    asked = relayed_call("p/m") if relays else call("p/m")
    limited = Limited(provider)
    await limited.ask(asked)
    second = limited.start(asked)
    await limited.time.advance(9.9)
    assert not second.done()
    await limited.time.advance(0.2)
    await second
    assert [entry.seconds for entry in limited.ledger.entries] == [0.0, 0.0]


@pytest.mark.parametrize(
    "failure", [LeaseLost("It is of another server."), Unavailable("Nothing can be stored.")]
)
async def test_a_call_that_may_not_be_made_any_more_takes_no_place(failure: CartritaError) -> None:
    provider = NamedProvider("p")
    limited = Limited(provider)

    def before_attempt() -> None:
        raise failure

    with pytest.raises(type(failure)):
        await limited.ask(call("p/m", before_attempt=before_attempt))
    await limited.ask(call("p/m"))
    assert len(provider.requests) == 1


async def test_each_tenant_has_its_turn_and_its_users_one_together() -> None:
    limited = Limited(NamedProvider("p"), limits={"p": Limit(1, 5)})
    order: list[str] = []

    async def ask(tenant: str, owner: str) -> None:
        await answer_to(limited.gateway, call("p/m", tenant_id=tenant, owner_id=owner))
        order.append(owner)

    users = [("x", "x1"), ("x", "x2"), ("x", "x1"), ("x", "x2"), ("y", "y1"), ("y", "y2")]
    tasks = [asyncio.get_running_loop().create_task(ask(*user)) for user in users]
    await limited.time.advance(30)
    await asyncio.gather(*tasks)
    assert order == ["x1", "x2", "y1", "x1", "y2", "x2"]


def paid(credential: str) -> Call:
    return call("p/m", credentials={"p": CallCredential(credential, Secret("their key"))})


async def test_each_credential_has_a_limit_of_its_own() -> None:
    limited = Limited(NamedProvider("p"))
    for asked in (call("p/m"), paid("a"), paid("b")):
        await limited.ask(asked)
    waiting = [limited.start(asked) for asked in (call("p/m"), paid("a"), paid("b"))]
    await limited.time.advance(9.9)
    assert not any(task.done() for task in waiting)
    await limited.time.advance(0.2)
    assert all(task.done() for task in waiting)


async def test_a_429_of_the_provider_pauses_the_calls_of_that_credential() -> None:
    gate = Limited(NamedProvider("p", [limited(2.0)], HELLO), limits={})
    refused = gate.start(paid("a"))
    await gate.time.settle()
    for asked in (call("p/m"), paid("b")):
        await gate.ask(asked)
    other = gate.start(paid("a"))
    await gate.time.advance(1.9)
    assert [refused.done(), other.done()] == [False, False]
    await gate.time.advance(0.2)
    await asyncio.gather(refused, other)


class TestQueues:
    """Of many credentials only those are remembered that hold something."""

    @pytest.fixture(params=["memory", "counted"])
    async def time_and_limiter(
        self, request: pytest.FixtureRequest
    ) -> AsyncGenerator[tuple[VirtualTime, Limiter]]:
        time = VirtualTime()
        if request.param == "memory":
            yield time, Limiter({"p": ONE}, clock=time.clock, later=time.later, most_queues=10)
            return
        async with counting(time) as store:
            yield (
                time,
                Limiter({"p": ONE}, store, clock=time.clock, later=time.later, most_queues=10),
            )

    async def test_those_that_hold_nothing_are_forgotten(
        self, time_and_limiter: tuple[VirtualTime, Limiter]
    ) -> None:
        time, limiter = time_and_limiter
        for number in range(1000):
            turn = limiter.grants(paid(str(number)), inf)
            taking = asyncio.get_running_loop().create_task(turn.take("p"))
            await time.advance(1.0)
            await taking
            assert limiter.queues <= 40

    async def test_what_was_used_still_counts(
        self, time_and_limiter: tuple[VirtualTime, Limiter]
    ) -> None:
        time, limiter = time_and_limiter
        loop = asyncio.get_running_loop()
        used = [loop.create_task(limiter.grants(paid(str(n)), inf).take("p")) for n in range(50)]
        await time.advance(0.1)
        await asyncio.gather(*used)
        assert limiter.queues == 50
        again = [loop.create_task(limiter.grants(paid(str(n)), inf).take("p")) for n in range(50)]
        await time.advance(9.0)
        assert not any(task.done() for task in again)
        await time.advance(1.2)
        await asyncio.gather(*again)

    async def test_a_queue_in_which_calls_wait_stays(self) -> None:
        time = VirtualTime()
        limiter = Limiter({}, clock=time.clock, later=time.later, most_queues=1)
        limiter.queue("p", "a").pause(5.0)
        turn = asyncio.get_running_loop().create_task(limiter.grants(paid("a"), inf).take("p"))
        await time.settle()
        for number in range(20):
            await limiter.grants(paid(str(number)), inf).take("p")
        assert limiter.queue("p", "a").waiting == 1
        await time.advance(5.1)
        await turn
        assert limiter.queue("p", "a").idle


async def test_a_refusal_tells_when_to_try_again() -> None:
    limited = Limited(NamedProvider("p"))
    await limited.ask(call("p/m"))
    tasks = [limited.start(call("p/m")) for _ in range(3)]
    await limited.time.settle()
    with pytest.raises(RateLimited) as caught:
        await limited.ask(call("p/m"))
    assert caught.value.retry_after == pytest.approx(40.0)
    await limited.time.advance(31)
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_no_call_waits_beyond_its_own_deadline() -> None:
    limited = Limited(NamedProvider("p"))
    await limited.ask(call("p/m"))
    with pytest.raises(RateLimited):
        await limited.ask(call("p/m", seconds=3.0))


async def test_a_sibling_that_need_not_wait_is_preferred() -> None:
    a, b, c = NamedProvider("a"), NamedProvider("b"), NamedProvider("c")
    route = Route(targets=(Target("a/m"), Target("b/m"), Target("c/m")))
    limits = {"a": ONE, "b": ONE, "c": Limit(1, 5)}
    limited = Limited(a, b, c, limits=limits, routes={"r": route})
    answers = [await limited.ask(call("r")) for _ in range(3)]
    assert [answer.provider for answer, _ in answers] == ["a", "b", "c"]
    assert all(not answer.failovers for answer, _ in answers)
    answer, _ = await limited.ask(call("r"), within=5.1)  # where all wait, the shortest
    assert answer.provider == "c"


async def test_a_failover_waits_for_the_limit_too() -> None:
    route = Route(targets=(Target("a/m"), Target("b/m")))
    a, b = NamedProvider("a", [overloaded()]), NamedProvider("b")
    limited = Limited(a, b, limits={"b": ONE}, routes={"r": route})
    await limited.ask(call("b/m"))
    answering = limited.start(call("r"))
    await limited.time.advance(9.9)
    assert not answering.done()
    await limited.time.advance(0.2)
    answer, _ = await answering
    assert answer.provider == "b"
    assert [one.provider for one in answer.failovers] == ["a"]


async def continued(patience: float) -> str:
    """The text of an answer that breaks off, where one call in 10 s is allowed."""
    broken = [TextDelta("one two three four five six"), cut()]
    gate = Limited(NamedProvider("p", broken, HELLO, models=("gpt-4o",)), patience=patience)
    answering = gate.start(call("p/gpt-4o"))
    await gate.time.advance(10.1)
    return text_of((await answering)[1])


async def test_a_continuation_takes_a_turn() -> None:
    assert "hello" in await continued(30.0)


async def test_without_a_turn_in_time_the_answer_stays_broken_off() -> None:
    with pytest.raises(UpstreamCut):
        await continued(5.0)


async def test_a_kept_answer_takes_no_turn() -> None:
    limited = Limited(NamedProvider("p"))
    for expected in ("miss", "hit", "hit"):
        answer, _ = await limited.ask(call("p/m", cache=CacheWish()))
        assert answer.cache == expected


async def test_a_429_of_the_provider_pauses_its_queue_in_order() -> None:
    provider = NamedProvider("p", [limited(2.0)], HELLO)
    gate = Limited(provider, NamedProvider("q"), limits={})
    order: list[int] = []

    async def ask(number: int) -> None:
        async with gate.gateway.open(call("p/m")) as answer:
            order.append(number)
            await items_of(answer)

    first = asyncio.get_running_loop().create_task(ask(1))
    await gate.time.settle()
    others = [asyncio.get_running_loop().create_task(ask(number)) for number in (2, 3)]
    await gate.ask(call("q/m"))  # other keys flow
    await gate.time.advance(1.9)
    assert (order, len(provider.requests)) == ([], 1)
    await gate.time.advance(0.2)
    await asyncio.gather(first, *others)
    assert order == [1, 2, 3]
    assert gate.slept == []


@pytest.mark.parametrize("error", [limited(31.0), limited(None), overloaded(2.0)])
async def test_what_is_no_pause_of_the_queue_holds_nobody_else_back(
    error: UpstreamLimited | UpstreamOverloaded,
) -> None:
    gate = Limited(NamedProvider("p", [error], HELLO), limits={})
    first = gate.start(call("p/m"))
    await gate.time.settle()
    _, items = await gate.ask(call("p/m"))
    assert text_of(items) == "hello"
    await gate.time.advance(40)
    await first
    assert len(gate.slept) == 1


async def test_the_time_in_queues_is_counted_together() -> None:
    provider = NamedProvider("p", HELLO, [limited(25.0)], HELLO)
    gate = Limited(provider, retry=RetryPolicy(attempts=3))
    await gate.ask(call("p/m"))
    waiting = gate.start(call("p/m"))
    await gate.time.advance(10.1)
    with pytest.raises(RateLimited) as caught:  # 20 s are left
        await waiting
    assert caught.value.retry_after == pytest.approx(25.0, abs=0.2)


async def test_who_waits_is_told_of_the_place() -> None:
    told: list[tuple[str, float, int]] = []

    async def on_pause(provider: str, seconds: float, position: int) -> None:
        told.append((provider, round(seconds, 1), position))

    gate = Limited(NamedProvider("p"))
    await gate.ask(call("p/m"))
    first = gate.start(call("p/m"))
    await gate.time.settle()
    second = gate.start(call("p/m", on_pause=on_pause))
    await gate.time.advance(20.1)
    await asyncio.gather(first, second)
    assert told == [("p", 20.0, 2), ("p", 10.0, 1)]


async def test_a_call_that_is_cancelled_while_it_waits_leaves_its_place() -> None:
    gate = Limited(NamedProvider("p"))
    await gate.ask(call("p/m"))
    first, second = gate.start(call("p/m")), gate.start(call("p/m"))
    await gate.time.settle()
    first.cancel()
    await gate.time.advance(10.1)
    assert first.cancelled()
    assert second.done()


async def slow_listener(provider: str, seconds: float, position: int) -> None:
    for _ in range(3):
        await asyncio.sleep(0)


@pytest.mark.parametrize("granted", [True, False])
@pytest.mark.parametrize("relays", [True, False])
async def test_who_is_cancelled_at_any_await_takes_no_grant_along(
    granted: bool, relays: bool
) -> None:
    made = set[int]()
    for steps in range(20):
        provider = RelayingProvider("p", [b"hi\n", b".\n"])
        asked = relayed_call("p/m") if relays else call("p/m")
        gate = Limited(provider)
        await gate.ask(asked)
        leaving = gate.start(replace(asked, on_pause=slow_listener))
        if granted:
            await gate.time.settle()
            gate.time.now += 10.1
            gate.limiter.queue("p").pause(0.0)  # it looks again, and grants
        for _ in range(steps):
            await asyncio.sleep(0)
        leaving.cancel()
        await asyncio.gather(leaving, return_exceptions=True)
        calls = len(provider.relayed) + len(provider.requests)
        made.add(calls)
        begins_now = granted and calls == 1
        following = gate.start(asked)
        await gate.time.advance(0.0 if begins_now else 10.1)
        assert following.done(), (steps, calls)
        assert gate.limiter.queue("p").waiting == 0
    assert made == ({1, 2} if granted else {1})

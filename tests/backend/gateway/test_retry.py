"""What failed unseen is tried again, within the deadline; what was seen is not."""

from random import Random

import pytest
from tests.backend.gateway.fakes import DONE, REQUEST, Time, overloaded
from tests.backend.scripted_provider import ScriptedProvider

from cartrita.domain.deltas import Accepted, Delta, TextDelta
from cartrita.domain.errors import UpstreamAuth, UpstreamError
from cartrita.domain.ports.providers import ModelProvider
from cartrita.gateway.calls import PauseListener
from cartrita.gateway.catalog import Catalog, ProviderEntry, ProviderOrigin
from cartrita.gateway.gateway import Gateway
from cartrita.gateway.gateway_provider import Caller
from cartrita.gateway.retry import Attempts, RetryPolicy
from cartrita.gateway.routes import Deployment

HELLO: list[Delta] = [TextDelta("Hello"), DONE]


def retrying(
    provider: ModelProvider,
    time: Time,
    *,
    seed: int = 7,
    on_pause: PauseListener | None = None,
    **policy: float,
) -> ModelProvider:
    chosen = RetryPolicy(**policy)  # pyright: ignore[reportArgumentType]
    catalog = Catalog([ProviderEntry(provider=provider, origin=ProviderOrigin.API_KEY)])
    gateway = Gateway(catalog, chosen, sleep=time.sleep, clock=time.clock, rng=Random(seed))
    return gateway.provider_for(Deployment("p", "m"), caller=Caller(on_pause=on_pause))


def nobody_waits(provider: str) -> float:
    return 0.0


async def collect(provider: ModelProvider, seen: list[Delta]) -> None:
    async with provider.stream(REQUEST) as deltas:
        async for delta in deltas:
            if not isinstance(delta, Accepted):
                seen.append(delta)  # noqa: PERF401 - what came before an error is wanted too


async def collected(provider: ModelProvider) -> list[Delta]:
    seen: list[Delta] = []
    await collect(provider, seen)
    return seen


async def failing(provider: ModelProvider) -> tuple[list[Delta], UpstreamError]:
    seen: list[Delta] = []
    with pytest.raises(UpstreamError) as caught:
        await collect(provider, seen)
    return seen, caught.value


@pytest.mark.parametrize("at_once", [True, False])
async def test_a_third_try_succeeds_and_nobody_sees_the_others(at_once: bool) -> None:
    time = Time()
    told = ScriptedProvider([overloaded()], [overloaded()], HELLO, at_once=at_once)
    assert await collected(retrying(told, time)) == HELLO
    assert len(told.requests) == 3
    assert told.open == 0
    first, second = time.slept
    assert 0.25 <= first <= 0.5
    assert 0.5 <= second <= 1.0


async def test_long_pauses_are_told() -> None:
    time = Time()
    told: list[tuple[str, float]] = []

    async def on_pause(provider: str, seconds: float, position: int) -> None:
        assert position == 1
        told.append((provider, seconds))

    scripted = ScriptedProvider([overloaded()], [overloaded(retry_after=2)], HELLO)
    provider = retrying(scripted, time, on_pause=on_pause)
    assert await collected(provider) == HELLO
    assert [seconds < 1 for seconds in time.slept] == [True, False]
    assert told == [(scripted.name, time.slept[1])]


async def test_after_the_last_try_the_error_goes_out() -> None:
    time = Time()
    told = ScriptedProvider(*[[overloaded()]] * 5)
    _, error = await failing(retrying(told, time))
    assert len(told.requests) == 3
    assert error.retryable


async def test_what_was_seen_is_not_tried_again() -> None:
    time = Time()
    told = ScriptedProvider([TextDelta("Hel"), overloaded()], HELLO)
    seen, _ = await failing(retrying(told, time, continuations=0))
    assert seen == [TextDelta("Hel")]
    assert len(told.requests) == 1
    assert time.slept == []


async def test_what_will_not_get_better_is_not_tried_again() -> None:
    told = ScriptedProvider([UpstreamAuth("no", provider="p")], HELLO)
    _, error = await failing(retrying(told, Time()))
    assert type(error) is UpstreamAuth
    assert len(told.requests) == 1


async def test_an_error_of_another_kind_passes() -> None:
    with pytest.raises(ZeroDivisionError):
        await collected(retrying(ScriptedProvider([ZeroDivisionError()], HELLO), Time()))


async def test_what_the_provider_asks_for_is_waited_for() -> None:
    time = Time()
    await collected(retrying(ScriptedProvider([overloaded(2.0)], HELLO), time))
    assert time.slept == [2.0]


def test_one_that_asks_to_wait_is_not_called_before_another_that_failed_without() -> None:
    time = Time()
    a, b = Deployment("a", "m"), Deployment("b", "m")
    policy = RetryPolicy(attempts=9)
    attempts = Attempts((a, b), policy, latest=300, clock=time.clock, rng=Random(7))

    def fails(expected: Deployment, error: UpstreamError) -> None:
        assert attempts.next(nobody_waits) == expected
        time.now += attempts.failed(expected, error)

    fails(a, overloaded(10.0))
    asked_at = time.now
    fails(b, overloaded())
    for _ in range(3):
        assert time.now < asked_at + 10
        fails(b, overloaded())
    fails(b, UpstreamAuth("no", provider="b"))
    assert time.now >= asked_at + 10
    assert attempts.next(nobody_waits) == a


async def test_never_beyond_the_deadline() -> None:
    time = Time()
    told = ScriptedProvider([overloaded(86_400.0)], HELLO)
    _, error = await failing(retrying(told, time))
    assert error.retry_after == 86_400.0
    assert time.slept == []
    told = ScriptedProvider([overloaded(4.0)], [overloaded(4.0)], HELLO)
    await failing(retrying(told, time, deadline=7.0))
    assert time.slept == [4.0]


async def test_pauses_double_up_to_the_longest() -> None:
    time = Time()
    told = ScriptedProvider(*[[overloaded()]] * 10)
    await failing(retrying(told, time, attempts=10, deadline=1_000))
    assert len(time.slept) == 9
    for number, pause in enumerate(time.slept):
        most = min(0.5 * 2**number, 8.0)
        assert most / 2 <= pause <= most


async def test_pauses_vary() -> None:
    pauses: list[float] = []
    for seed in range(5):
        time = Time()
        told = ScriptedProvider([overloaded()], HELLO)
        await collected(retrying(told, time, seed=seed))
        pauses += time.slept
    assert len(set(pauses)) == 5


async def test_leaving_closes_the_call_that_is_open() -> None:
    told = ScriptedProvider(HELLO)
    async with retrying(told, Time()).stream(REQUEST) as deltas:
        await anext(deltas)
        assert told.open == 1
    assert told.open == 0


async def test_it_is_the_provider_inside() -> None:
    provider = retrying(ScriptedProvider(), Time())
    assert provider.name == "p"
    assert [model.id for model in await provider.models()] == ["p/m"]

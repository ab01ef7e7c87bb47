"""A list that is too old is used while it is refreshed; nobody waits long for one that hangs."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from structlog.testing import capture_logs
from tests.backend.application.fakes import until
from tests.backend.gateway.fakes import HangingProvider, ListingProvider, Time, overloaded

from cartrita.domain.models import ModelInfo
from cartrita.gateway.model_lists import ModelLists


@pytest.fixture
def time() -> Time:
    return Time()


@asynccontextmanager
async def running(time: Time, *providers: ListingProvider) -> AsyncGenerator[ModelLists]:
    lists = ModelLists(
        {one.name: one for one in providers},
        cache_s=60,
        cache_failure_s=10,
        first_wait_s=0.02,
        patience=0.01,
        clock=time.clock,
    )
    async with asyncio.TaskGroup() as group:
        task = group.create_task(lists.run())
        await asyncio.sleep(0)
        yield lists
        task.cancel()


def names(models: list[ModelInfo] | None) -> list[str] | None:
    return None if models is None else [one.name for one in models]


async def test_an_old_list_is_used_while_it_is_refreshed(time: Time) -> None:
    provider = HangingProvider("a", "x")
    async with running(time, provider) as lists:
        assert names(await lists.of("a")) == ["x"]
        time.now += 61
        provider.may.clear()
        provider.listed = [ModelInfo("a", "y")]
        for _ in range(3):
            assert names(await lists.of("a")) == ["x"]
        await until(lambda: provider.asked == 2)
        provider.may.set()
        await until(lambda: names(lists.known("a")) == ["y"])
        assert names(await lists.of("a")) == ["y"]
        assert provider.asked == 2


async def test_one_that_failed_last_time_and_hangs_is_not_waited_for(time: Time) -> None:
    hanging, good = HangingProvider("a", "x"), ListingProvider("b", "y")
    hanging.error = overloaded()
    async with running(time, hanging, good) as lists:
        assert (await lists.all())["a"] is None
        time.now += 11
        hanging.may.clear()
        hanging.error = None
        for _ in range(2):
            found = await lists.all()
            assert (found["a"], names(found["b"])) == (None, ["y"])
        assert hanging.asked == 2
        hanging.may.set()
        await until(lambda: lists.known("a"))
        assert names(await lists.of("a")) == ["x"]


async def test_one_that_failed_last_time_and_answers_is_seen_at_once(time: Time) -> None:
    provider = ListingProvider("a", "x", error=overloaded())
    async with running(time, provider) as lists:
        assert await lists.of("a") is None
        provider.error = None
        assert await lists.of("a") is None
        time.now += 11
        assert names(await lists.of("a")) == ["x"]


async def test_a_failure_counts_from_when_it_came(time: Time) -> None:
    class SlowlyFailing(ListingProvider):
        async def models(self) -> list[ModelInfo]:
            time.now += 10
            return await super().models()

    provider = SlowlyFailing("a", error=overloaded())
    async with running(time, provider) as lists:
        for _ in range(2):
            time.now += 1
            assert await lists.of("a") is None
        assert provider.asked == 1


async def test_a_defect_of_a_provider_does_not_end_the_refreshing(time: Time) -> None:
    class Defect(ListingProvider):
        async def models(self) -> list[ModelInfo]:
            if self.asked:
                self.asked += 1
                raise ZeroDivisionError
            return await super().models()

    provider = Defect("a", "x")
    async with running(time, provider) as lists:
        with capture_logs() as logs:
            for asked in (1, 2, 3):
                for _ in range(3):
                    assert names(await lists.of("a")) == ["x"]
                    await until(lambda asked=asked: provider.asked == asked)
                time.now += 61
        assert {each["event"] for each in logs} == {"models_not_refreshed"}
        assert [each["log_level"] for each in logs] == ["error", "warning"]


async def test_where_nothing_runs_whoever_needs_a_list_waits_for_it(time: Time) -> None:
    provider = ListingProvider("a", "x")
    lists = ModelLists({"a": provider}, cache_s=60, cache_failure_s=10, clock=time.clock)
    assert lists.known("a") == []
    assert names(await lists.of("a")) == ["x"]
    time.now += 61
    provider.listed = [ModelInfo("a", "y")]
    assert names(await lists.of("a")) == ["y"]


async def test_the_first_provider_that_lists_a_model_is_found(time: Time) -> None:
    first, second, third = (HangingProvider(name, *"xy"[at:]) for at, name in enumerate("abc"))
    async with running(time, third, second, first) as lists:
        assert lists.provider_of("y") is None
        assert names((await lists.all())["b"]) == ["y"]
        assert (lists.provider_of("x"), lists.provider_of("y")) == ("a", "b")
        assert lists.provider_of("z") is None
        assert names((await lists.all())["b"]) == ["y"]
    assert (first.asked, second.asked, third.asked) == (1, 1, 1)


async def test_a_first_list_is_not_waited_for_for_ever(time: Time) -> None:
    hanging, good = HangingProvider("a", "x"), ListingProvider("b", "y")
    hanging.may.clear()
    async with running(time, hanging, good) as lists:
        for _ in range(2):
            found = await lists.all()
            assert (found["a"], names(found["b"])) == (None, ["y"])
            assert (lists.pending("a"), lists.pending("b")) == (True, False)
        assert hanging.asked == 1
        hanging.may.set()
        await until(lambda: lists.known("a"))
        assert not lists.pending("a")


async def test_a_defect_in_a_first_list_is_a_failure(time: Time) -> None:
    class Defect(ListingProvider):
        async def models(self) -> list[ModelInfo]:
            raise ZeroDivisionError

    async with running(time, Defect("a")) as lists:
        assert await lists.of("a") is None
        assert not lists.pending("a")

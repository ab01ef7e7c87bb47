"""Work that is cut ends with the reason of that, and with nothing else if it was not."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from cartrita.kit.cuts import CuttableWork, OpenWork, Within


class Ended(Exception):
    """Why it was cut."""


def work() -> CuttableWork:
    return CuttableWork(Ended)


def cancellations() -> int:
    """How often the task that runs has yet to be cancelled."""
    task = asyncio.current_task()
    assert task is not None
    return task.cancelling()


async def cut_in(one: CuttableWork, then: Callable[[], object] | None = None) -> None:
    with one:
        one.cut()
        one.cut()
        if then is None:
            await asyncio.Event().wait()
        else:
            then()


def fail() -> None:
    raise KeyError


async def test_what_is_cut_raises_the_reason_and_leaves_its_task_as_it_was() -> None:
    with pytest.raises(Ended) as told:
        await cut_in(work())
    assert isinstance(told.value.__cause__, asyncio.CancelledError)
    assert cancellations() == 0


async def test_what_is_cut_at_its_very_end_raises_the_reason_too() -> None:
    with pytest.raises(Ended):
        await cut_in(work(), lambda: None)
    assert cancellations() == 0


async def test_what_fails_by_itself_raises_its_own_error() -> None:
    with pytest.raises(KeyError), work():
        fail()
    with pytest.raises(KeyError):
        await cut_in(work(), fail)
    assert cancellations() == 0


async def test_a_task_that_others_cancel_too_is_cancelled() -> None:
    async def cut_and_cancelled() -> None:
        task = asyncio.current_task()
        assert task is not None
        await cut_in(work(), task.cancel)
        await asyncio.sleep(0)

    task = asyncio.create_task(cut_and_cancelled())
    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelling() == 1


async def test_work_of_a_task_that_was_cancelled_before_can_be_cut() -> None:
    async def ending() -> int:
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        with suppress(Ended):
            await cut_in(work())
        return cancellations()

    task = asyncio.create_task(ending())
    await asyncio.sleep(0)
    task.cancel()
    assert await task == 1


async def test_of_two_the_inner_one_is_cut_alone() -> None:
    outer = work()
    with outer:
        with pytest.raises(Ended):
            await cut_in(work())
        assert not outer.was_cut


def test_open_work_is_found_by_what_it_depends_on() -> None:
    works = OpenWork[CuttableWork]()
    first, second, other = work(), work(), work()
    for identity, one in (("a", first), ("a", second), ("b", other)):
        works.add(identity, one)
    assert {*works.ids} == {"a", "b"}
    assert {*works.of("a")} == {first, second}
    assert {*works} == {first, second, other}
    works.remove("a", first)
    works.remove("a", second)
    assert {*works.ids} == {"b"}
    assert not works.of("a")


def nothing() -> None:
    pass


@asynccontextmanager
async def context(
    entering: Callable[[], None] = nothing, leaving: Callable[[], None] = nothing
) -> AsyncGenerator[str]:
    entering()
    try:
        yield "open"
    finally:
        leaving()


async def test_a_context_within_is_left_before_the_reason_is_raised() -> None:
    left: list[str] = []

    async def cut_within(one: CuttableWork) -> None:
        async with Within(one, context(leaving=lambda: left.append("left"))) as opened:
            assert opened == "open"
            one.cut()
            await asyncio.Event().wait()

    with pytest.raises(Ended):
        await cut_within(work())
    assert left == ["left"]


@pytest.mark.parametrize("failing", ["entering", "leaving"])
async def test_the_error_of_a_context_within_is_its_own(failing: str) -> None:
    one = work()
    with pytest.raises(KeyError):
        async with Within(one, context(**{failing: fail})):
            one.cut()
    assert cancellations() == 0


async def test_an_error_that_a_context_within_swallows_is_not_raised() -> None:
    @asynccontextmanager
    async def swallowing() -> AsyncGenerator[None]:
        with suppress(KeyError):
            yield

    async with Within(work(), swallowing()):
        fail()

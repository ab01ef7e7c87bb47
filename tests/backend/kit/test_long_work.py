"""Long computations run in a thread, short ones do not."""

import asyncio
import threading

import pytest

from cartrita.kit.long_work import LARGE, InTurns, run_long


def this_thread(*, named: str) -> tuple[str, int]:
    return named, threading.get_ident()


async def test_what_is_short_runs_at_once() -> None:
    assert await run_long(LARGE - 1, this_thread, named="a") == ("a", threading.get_ident())


async def test_what_is_long_runs_in_one_thread() -> None:
    found = await asyncio.gather(*(run_long(LARGE, this_thread, named="a") for _ in range(3)))
    assert len(set(found)) == 1
    assert found[0] != ("a", threading.get_ident())


async def test_the_loop_goes_on() -> None:
    begun, ended = threading.Event(), threading.Event()

    def compute() -> bool:
        begun.set()
        return ended.wait(10)

    computing = asyncio.create_task(run_long(LARGE, compute))
    while not begun.is_set():  # noqa: ASYNC110 - the thread has no event of this loop
        await asyncio.sleep(0)
    ended.set()
    assert await computing


async def test_errors_are_raised() -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        await run_long(LARGE, int, "x")


async def test_the_loop_goes_on_between_many_values() -> None:
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    values = [value async for value in InTurns(range(100))]
    counting.cancel()
    assert values == list(range(100))
    assert turns > 1

"""Work that is done at once: all of it, or the first failure."""

import asyncio

import pytest

from cartrita.kit.at_once import all_of


async def test_what_comes_of_it_is_in_the_order_of_the_work() -> None:
    second_done = asyncio.Event()

    async def first() -> str:
        await second_done.wait()
        return "first"

    async def second() -> str:
        second_done.set()
        return "second"

    assert await all_of([first(), second()]) == ["first", "second"]


async def test_the_first_failure_ends_all() -> None:
    ended = asyncio.Event()

    async def waits() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async def fails() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await all_of([waits(), fails()])
    assert ended.is_set()

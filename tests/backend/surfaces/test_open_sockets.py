"""Open sockets are counted by owner, and all are ended when the process is about to stop."""

import asyncio

import pytest

from cartrita.domain.errors import RateLimited
from cartrita.surfaces.open_sockets import OpenSockets


def test_an_owner_has_so_many() -> None:
    sockets = OpenSockets(1)
    with sockets.hold(lambda: None) as first, sockets.hold(lambda: None) as second:
        first.belongs_to("a")
        with pytest.raises(RateLimited):
            second.belongs_to("a")
        second.belongs_to("b")
    with sockets.hold(lambda: None) as again:
        again.belongs_to("a")


def test_one_that_was_refused_is_not_counted() -> None:
    sockets = OpenSockets(1)
    with sockets.hold(lambda: None) as first:
        first.belongs_to("a")
        with sockets.hold(lambda: None) as second, pytest.raises(RateLimited):
            second.belongs_to("a")
        with sockets.hold(lambda: None) as third, pytest.raises(RateLimited):
            third.belongs_to("a")


def test_an_address_has_so_many_that_have_not_said_whose_they_are() -> None:
    sockets = OpenSockets(9, 1)
    with sockets.visit("a") as first, sockets.visit("a") as second:
        first.begin()
        with pytest.raises(RateLimited) as told:
            second.begin()
        assert (told.value.code, told.value.retry_after) == ("too_many_sockets", 1.0)
        with sockets.visit("b") as other:
            other.begin()
        first.end()
        first.end()
        second.begin()
    with sockets.visit("a") as third:
        third.begin()


async def test_all_end_with_the_process() -> None:
    sockets, ended = OpenSockets(9), list[str]()
    with sockets.hold(lambda: ended.append("closed before")):
        pass
    with sockets.hold(lambda: ended.append("open")):
        await sockets.drain(20.0)
        with sockets.hold(lambda: ended.append("too late")):
            assert sockets.draining
    assert ended == ["open", "too late"]


async def test_the_process_waits_for_what_they_still_have_to_do() -> None:
    sockets, done, may = OpenSockets(9), list[str](), asyncio.Event()

    async def last_words() -> None:
        await may.wait()
        done.append("said")

    with sockets.hold(lambda: None), sockets.hold(lambda: tasks.create_task(last_words())):
        async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
            draining = tasks.create_task(sockets.drain(20.0))
            await asyncio.sleep(0)
            assert (sockets.draining, draining.done()) == (True, False)
            may.set()
            await draining
            assert done == ["said"]


async def test_one_that_takes_too_long_is_ended_and_nobody_waits_for_it() -> None:
    sockets, ended = OpenSockets(9), list[str]()

    async def never() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("cancelled")

    with sockets.hold(lambda: tasks.create_task(never())):
        async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
            await sockets.drain(0.01)
    assert ended == ["cancelled"]


async def test_the_process_waits_until_all_are_closed() -> None:
    sockets, closes = OpenSockets(9), asyncio.Event()

    async def serve() -> None:
        with sockets.until_closed():
            with sockets.hold(closes.set):
                await closes.wait()
            await asyncio.sleep(0)
            told.append("closed")

    told = list[str]()
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        for _ in range(2):
            tasks.create_task(serve())
        await asyncio.sleep(0)
        await sockets.drain(20.0)
        assert told == ["closed", "closed"]

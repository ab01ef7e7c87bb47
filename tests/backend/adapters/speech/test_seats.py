"""What works on speech here has so many seats, of which one owner has a share at most."""

import asyncio
import gc
from contextlib import AsyncExitStack

import pytest

from cartrita.adapters.speech.seats import EngineSeats
from cartrita.domain.errors import Busy


async def test_an_owner_has_a_share_and_others_have_theirs() -> None:
    seats = EngineSeats(3, wait_s=0.01, share=2)
    async with AsyncExitStack() as taken:
        for owner in ("ann", "ann", "bob"):
            await taken.enter_async_context(seats.one(owner))
        for owner in ("ann", "eve"):
            with pytest.raises(Busy):
                await taken.enter_async_context(seats.one(owner))
    async with seats.one("ann"), seats.one("ann"), seats.one("eve"):
        pass


def semaphores() -> int:
    gc.collect()
    return sum(isinstance(one, asyncio.Semaphore) for one in gc.get_objects())


async def test_nothing_is_kept_of_owners_who_have_left() -> None:
    seats = EngineSeats(1, share=1)
    before = semaphores()
    for number in range(10):
        async with seats.one(f"owner {number}"):
            assert semaphores() == before + 1
    assert semaphores() == before


async def test_who_waits_in_vain_for_a_seat_keeps_none_of_a_share() -> None:
    seats = EngineSeats(1, wait_s=0.01, share=1)
    async with seats.one("bob"):
        with pytest.raises(Busy):
            async with seats.one("ann"):
                raise AssertionError("two have one seat")
    async with seats.one("ann"):
        pass


async def test_without_an_owner_there_is_no_share() -> None:
    seats = EngineSeats(2, wait_s=0.01, share=1)
    async with seats.one(), seats.one():
        pass

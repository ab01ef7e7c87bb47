"""No owner has all seats, and nobody waits for one for ever."""

from contextlib import AsyncExitStack

import pytest

from cartrita.adapters.web.seats import OwnerSeats
from cartrita.domain.errors import Busy


async def test_an_owner_has_so_many_and_others_have_theirs() -> None:
    seats = OwnerSeats(3, 2, 0.01)
    async with AsyncExitStack() as taken:
        for owner in ("ann", "ann", "bob"):
            await taken.enter_async_context(seats.one(owner))
        for owner in ("ann", "eve"):
            with pytest.raises(Busy):
                async with seats.one(owner):
                    pass
    async with seats.one("ann"), seats.one("ann"), seats.one("eve"):
        assert set(seats._owners) == {"ann", "eve"}
    assert not seats._owners


async def test_what_is_raised_inside_is_not_busy() -> None:
    seats = OwnerSeats(1, 1, 0.01)
    with pytest.raises(TimeoutError):
        async with seats.one("ann"):
            raise TimeoutError
    assert not seats._owners

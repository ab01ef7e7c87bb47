"""No owner has all places, and nobody waits for one for ever."""

from contextlib import AsyncExitStack

import pytest

from cartrita.adapters.web.places import Places
from cartrita.domain.errors import Busy


async def test_an_owner_has_so_many_and_others_have_theirs() -> None:
    places = Places(3, 2, 0.01)
    async with AsyncExitStack() as taken:
        for owner in ("ann", "ann", "bob"):
            await taken.enter_async_context(places.one(owner))
        for owner in ("ann", "eve"):
            with pytest.raises(Busy):
                async with places.one(owner):
                    pass
    async with places.one("ann"), places.one("ann"), places.one("eve"):
        assert set(places._owners) == {"ann", "eve"}
    assert not places._owners


async def test_what_is_raised_inside_is_not_busy() -> None:
    places = Places(1, 1, 0.01)
    with pytest.raises(TimeoutError):
        async with places.one("ann"):
            raise TimeoutError
    assert not places._owners

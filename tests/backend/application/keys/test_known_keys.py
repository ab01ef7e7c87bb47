"""Known keys: read again after a while, and good while their store is away."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, datetime

import pytest

from cartrita.application.keys.known_keys import KnownKeys
from cartrita.domain.api_keys import ApiKey, StoredApiKey
from cartrita.domain.errors import Unavailable

CACHE_S = 3.0
OUTAGE_S = 600.0
KEY = StoredApiKey(
    ApiKey(id="a", owner_id="ann", name="n", created_at=datetime(2026, 1, 1, tzinfo=UTC)), bytes(32)
)


class Store:
    """A store of one key, which can be away, or give no answer until it is `released`."""

    def __init__(self) -> None:
        self.key: StoredApiKey | None = KEY
        self.failure: Exception | None = None
        self.released = asyncio.Event()
        self.released.set()
        self.reading = asyncio.Event()
        self.asked = 0

    async def get(self, key_id: str) -> StoredApiKey | None:
        self.asked += 1
        self.reading.set()
        key = self.key
        await self.released.wait()
        if self.failure is not None:
            raise self.failure
        return key


class Case:
    def __init__(self) -> None:
        self.store = Store()
        self.seconds = 0.0
        self.keys = KnownKeys(
            self.store,  # pyright: ignore[reportArgumentType] - only `get` is asked for
            cache_s=CACHE_S,
            outage_s=OUTAGE_S,
            patience_s=0.01,
            monotonic=lambda: self.seconds,
        )


@pytest.fixture
async def case() -> AsyncGenerator[Case]:
    made = Case()
    running = asyncio.create_task(made.keys.run())
    await asyncio.sleep(0)
    yield made
    made.store.released.set()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_key_is_read_once_in_a_while(case: Case) -> None:
    for _ in range(3):
        assert await case.keys.find("a") == KEY
    assert case.store.asked == 1
    case.seconds += CACHE_S
    assert await case.keys.find("a") == KEY
    assert case.store.asked == 2


async def test_a_key_that_is_gone_is_gone(case: Case) -> None:
    await case.keys.find("a")
    case.store.key = None
    case.seconds += CACHE_S
    assert await case.keys.find("a") is None
    assert await case.keys.find("a") is None


async def test_what_is_forgotten_while_it_is_read_again_is_not_gone(case: Case) -> None:
    await case.keys.find("a")
    case.seconds += CACHE_S
    case.store.released.clear()
    case.store.reading.clear()
    finding = asyncio.create_task(case.keys.find("a"))
    await case.store.reading.wait()
    case.keys.forget_all()  # somebody else was changed
    case.store.released.set()
    assert await finding == KEY


@pytest.mark.parametrize("failure", [Unavailable("away"), RuntimeError("broken")])
async def test_a_known_key_is_good_while_its_store_fails(case: Case, failure: Exception) -> None:
    await case.keys.find("a")
    case.store.failure = failure
    for _ in range(3):
        case.seconds += CACHE_S
        assert await case.keys.find("a") == KEY


async def test_a_known_key_is_good_while_its_store_gives_no_answer(case: Case) -> None:
    await case.keys.find("a")
    case.store.released.clear()
    case.seconds += CACHE_S
    assert [await case.keys.find("a") for _ in range(3)] == [KEY] * 3
    assert case.store.asked == 2  # one waits for it, the others do not


async def test_a_key_is_not_good_for_ever(case: Case) -> None:
    await case.keys.find("a")
    case.store.failure = Unavailable("away")
    case.seconds += OUTAGE_S + 1
    with pytest.raises(Unavailable):
        await case.keys.find("a")


async def test_a_key_that_is_not_known_needs_the_store(case: Case) -> None:
    case.store.failure = Unavailable("away")
    with pytest.raises(Unavailable):
        await case.keys.find("a")
    case.store.failure = None
    await case.keys.find("a")
    case.keys.forget("a")
    case.store.failure = Unavailable("away")
    with pytest.raises(Unavailable):
        await case.keys.find("a")


async def test_what_was_read_before_a_key_was_forgotten_is_not_kept(case: Case) -> None:
    case.store.released.clear()
    reading = asyncio.create_task(case.keys.find("a"))
    await asyncio.sleep(0)
    case.keys.forget("a")
    case.store.key = None
    case.store.released.set()
    assert await reading == KEY
    assert await case.keys.find("a") is None


async def test_a_key_that_is_forgotten_while_it_is_read_again_is_not_kept(case: Case) -> None:
    await case.keys.find("a")
    case.store.released.clear()
    case.seconds += CACHE_S
    assert await case.keys.find("a") == KEY
    case.keys.forget("a")
    case.store.key = None
    case.store.released.set()
    assert [await case.keys.find("a") for _ in range(3)] == [None] * 3
    assert case.store.asked == 5


async def test_without_its_loop_each_caller_waits() -> None:
    case = Case()
    await case.keys.find("a")
    case.store.failure = Unavailable("away")
    case.seconds += CACHE_S
    with pytest.raises(Unavailable):
        await case.keys.find("a")

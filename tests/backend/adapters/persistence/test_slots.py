"""Slots of limits in Postgres: every process gets its own, by the database's clock."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.slots import SlotTable
from cartrita.adapters.persistence.tables.usage import limit_leases
from cartrita.domain.limits import LimitKey

KEY = LimitKey("openai")


async def test_slots_follow_each_other(pool: Database) -> None:
    slots = SlotTable(pool)
    assert await slots.reserve(KEY, count=1, interval=10.0) == pytest.approx(10.0)
    assert await slots.reserve(KEY, count=3, interval=10.0) == pytest.approx(40.0, abs=1.0)
    assert await slots.reserve(KEY, count=0, interval=10.0) == pytest.approx(40.0, abs=1.0)


async def test_those_of_many_at_once_are_all_different(pool: Database) -> None:
    slots = SlotTable(pool)
    ends = await asyncio.gather(*(slots.reserve(KEY, count=2, interval=100.0) for _ in range(50)))
    assert sorted(round(end / 200) for end in ends) == list(range(1, 51))


async def test_a_pause_comes_before_all_that_follow(pool: Database) -> None:
    slots = SlotTable(pool)
    assert await slots.reserve(KEY, count=0, interval=1.0, ahead=50.0) == pytest.approx(50.0)
    assert await slots.reserve(KEY, count=1, interval=1.0) == pytest.approx(51.0, abs=1.0)


async def test_a_limit_that_was_changed_counts_anew(pool: Database) -> None:
    slots = SlotTable(pool)
    await slots.reserve(KEY, count=10, interval=3600.0)
    assert await slots.reserve(KEY, count=1, interval=10.0) == pytest.approx(10.0)


async def test_credentials_are_counted_apart_and_forgotten_after_a_day(pool: Database) -> None:
    slots = SlotTable(pool)
    for key in (KEY, LimitKey("openai", "mine"), LimitKey("github")):
        assert await slots.reserve(key, count=1, interval=10.0) == pytest.approx(10.0)
    assert await slots.sweep() == 0
    due = limit_leases.c.due
    async with pool.use() as connection:
        await connection.execute(
            update(limit_leases)
            .where(limit_leases.c.provider == "github")
            .values(due=due - timedelta(days=2))
        )
    assert await slots.sweep() == 1
    async with pool.use() as connection:
        left = await connection.execute(select(func.count()).select_from(limit_leases))
        assert left.scalar_one() == 2

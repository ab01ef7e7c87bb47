"""The usage ledger in Postgres: batches, outages, and what was sent again."""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs
from tests.harness.database import TemporaryDatabase
from tests.harness.rows import ANN

from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.ledger import LedgerTable
from cartrita.adapters.persistence.usage_reports import UsageReportTable
from cartrita.domain.errors import Unavailable
from cartrita.domain.ledger import CallOutcome, LedgerEntry, UsageQuery, UsageTotal
from cartrita.domain.ledger import UsageGrouping as By
from cartrita.domain.usage import Usage

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def entry(**values: Any) -> LedgerEntry:
    given: dict[str, Any] = {
        "owner_id": ANN,
        "key_id": "k",
        "run_id": None,
        "surface": "openai_chat",
        "provider": "openai",
        "model": "gpt-4o",
        "usage": Usage(10, 5, 1, 2, 3, 1),
        "cost": Decimal("0.000075"),
        "outcome": CallOutcome.COMPLETED,
        "seconds": 1.5,
        "first_token_seconds": 0.25,
        "at": NOON,
        **values,
    }
    return LedgerEntry(**given)


async def by_model(pool: Database) -> list[UsageTotal]:
    """What is stored of Ann's."""
    query = UsageQuery(owner_id=ANN, since=NOON - DAY, until=NOON + DAY, grouping=By.MODEL)
    return list((await UsageReportTable(pool).totals(query, limit=100)).items)


@pytest.fixture
def ledger(pool: Database) -> LedgerTable:
    return LedgerTable(pool)


async def test_entries_wait_while_the_database_is_away(database: TemporaryDatabase) -> None:
    pool = Database(database.dsn, pool_size=1, pool_wait_s=1.0)
    ledger = LedgerTable(pool, capacity=3)
    async with pool.use():  # the only connection
        for number in range(5):
            ledger.record(entry(model=f"m{number}"))
        await ledger.flush()
        with pytest.raises(Unavailable):
            await by_model(pool)
    await ledger.flush()
    kept = await by_model(pool)
    assert [each.group.name for each in kept] == ["openai/m2", "openai/m3", "openai/m4"]
    await pool.close()


async def test_many_entries_are_written_in_batches(pool: Database, ledger: LedgerTable) -> None:
    for _ in range(2500):
        ledger.record(entry())
    await ledger.flush()
    [total] = await by_model(pool)
    assert total.calls == 2500


async def test_an_entry_that_is_sent_again_is_stored_once(
    pool: Database, ledger: LedgerTable
) -> None:
    for _ in range(3):
        ledger.record(entry())
    sent = [*ledger._pending]
    await ledger.flush()
    ledger._pending.extend(sent)  # as after an answer that was lost
    ledger.record(entry())
    await ledger.flush()
    [total] = await by_model(pool)
    assert total.calls == 4


async def test_an_entry_that_cannot_be_stored_takes_no_other_with_it(
    pool: Database, ledger: LedgerTable
) -> None:
    for number in range(9):
        ledger.record(entry(model=f"m{number}"))
    ledger.record(entry(model="a\x00b"))
    ledger.record(entry(usage=Usage(10**30, 1)))
    ledger.record(entry(model="last"))
    await ledger.flush()
    kept = {each.group.name for each in await by_model(pool)}
    assert kept == {f"openai/m{number}" for number in range(9)} | {"openai/last"}


async def test_no_failure_ends_the_writing_or_loses_entries(
    pool: Database, ledger: LedgerTable
) -> None:
    async def run_sql(statement: str) -> None:
        async with pool.use() as connection:
            await connection.execute(text(statement))

    await run_sql("ALTER TABLE usage_ledger RENAME COLUMN seconds TO elsewhere")
    ledger.record(entry())
    with capture_logs() as logs:
        await ledger.flush()
        await ledger.flush()
    assert [(each["event"], each["pending"]) for each in logs] == [("ledger_not_written", 1)] * 2
    assert ["exc_info" in each for each in logs] == [True, False]
    await run_sql("ALTER TABLE usage_ledger RENAME COLUMN elsewhere TO seconds")
    await ledger.flush()
    [total] = await by_model(pool)
    assert total.calls == 1


async def test_entries_survive_a_cancelled_flush(pool: Database, ledger: LedgerTable) -> None:
    ledger.record(entry())
    async with asyncio.TaskGroup() as tasks, pool.transaction() as connection:
        await connection.execute(text("LOCK usage_ledger IN EXCLUSIVE MODE"))
        flushing = tasks.create_task(ledger.flush())
        while not await connection.scalar(text(_WAITING)):
            pass
        flushing.cancel()
    await ledger.flush()
    [total] = await by_model(pool)
    assert total.calls == 1


_WAITING = "SELECT count(*) FROM pg_locks WHERE relation = 'usage_ledger'::regclass AND NOT granted"


async def test_old_entries_are_swept(pool: Database, database: TemporaryDatabase) -> None:
    ledger = LedgerTable(pool, retention_days=30)
    ledger.record(entry(model="new"))
    ledger.record(entry(model="old"))
    await ledger.flush()
    assert await ledger.sweep() == 0
    async with pool.use() as connection:
        await connection.execute(
            text(
                "UPDATE usage_ledger SET id = cartrita_uuid7_floor(now() - interval '31 days')"
                " WHERE model = 'old'"
            )
        )
    assert await ledger.sweep() == 1
    assert [each.group.name for each in await by_model(pool)] == ["openai/new"]
    assert await LedgerTable(pool).sweep() == 0


async def test_what_waits_and_what_was_lost_is_told(pool: Database) -> None:
    ledger = LedgerTable(pool, capacity=2)
    for _ in range(3):
        ledger.record(entry())
    assert (ledger.pending, ledger.lost) == (2, 1)
    await ledger.flush()
    assert (ledger.pending, ledger.lost) == (0, 1)
    ledger.record(entry(surface="a NUL \x00"))
    await ledger.flush()
    assert (ledger.pending, ledger.lost) == (0, 2)

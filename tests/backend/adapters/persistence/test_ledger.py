"""The usage ledger in Postgres: batches, outages, totals by group and owner."""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs
from tests.harness.database import TemporaryDatabase
from tests.harness.rows import ANN, BOB

from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.ledger import LedgerTable
from cartrita.domain.errors import Unavailable
from cartrita.domain.ledger import CallOutcome, LedgerEntry, TimelineStep, UsageGrouping
from cartrita.domain.usage import Usage

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
DAY = timedelta(days=1)
EVER = (NOON - 9 * DAY, NOON + 9 * DAY)


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


@pytest.fixture
def ledger(pool: Database) -> LedgerTable:
    return LedgerTable(pool)


async def test_entries_add_up_by_model(ledger: LedgerTable) -> None:
    unknown = Usage(7, 1, estimated=True, error_bound=0.35)
    ledger.record(entry())
    ledger.record(entry(outcome=CallOutcome.CUT))
    ledger.record(entry(provider="ollama", model="llama", usage=unknown, cost=None))
    ledger.record(entry(owner_id=BOB, model="other"))
    assert await ledger.totals(ANN, *EVER, UsageGrouping.MODEL) == []
    await ledger.flush()
    dearest, free = await ledger.totals(ANN, *EVER, UsageGrouping.MODEL)
    assert (dearest.name, dearest.calls, dearest.unpriced_calls) == ("openai/gpt-4o", 2, 0)
    assert dearest.cost == Decimal("0.00015")
    assert dearest.usage == Usage(20, 10, 2, 4, 6, 2)
    assert (free.name, free.calls, free.unpriced_calls) == ("ollama/llama", 1, 1)
    assert free.cost == 0
    assert free.usage == unknown
    assert [each.name for each in await ledger.totals(BOB, *EVER, UsageGrouping.MODEL)] == [
        "openai/other"
    ]


async def test_speech_adds_up_too(ledger: LedgerTable) -> None:
    ledger.record(entry(audio_seconds=1.5))
    ledger.record(entry(audio_seconds=2.0, characters=30))
    await ledger.flush()
    [total] = await ledger.totals(ANN, *EVER, UsageGrouping.MODEL)
    assert (total.audio_seconds, total.characters) == (3.5, 30)
    [day] = await ledger.timeline(ANN, *EVER, TimelineStep.DAY)
    assert (day.audio_seconds, day.characters) == (3.5, 30)


@pytest.mark.parametrize(
    ("grouping", "names"),
    [
        (UsageGrouping.PROVIDER, ["openai"]),
        (UsageGrouping.SURFACE, ["native", "openai_chat"]),
        (UsageGrouping.DAY, ["2026-11-27", "2026-11-28"]),
    ],
)
async def test_groups(ledger: LedgerTable, grouping: UsageGrouping, names: list[str]) -> None:
    ledger.record(entry(at=NOON - DAY))
    ledger.record(entry(surface="native"))
    await ledger.flush()
    assert sorted(each.name for each in await ledger.totals(ANN, *EVER, grouping)) == names


async def test_the_end_of_the_period_is_not_part_of_it(ledger: LedgerTable) -> None:
    ledger.record(entry())
    await ledger.flush()
    assert await ledger.totals(ANN, NOON - DAY, NOON, UsageGrouping.DAY) == []
    assert len(await ledger.totals(ANN, NOON, NOON + DAY, UsageGrouping.DAY)) == 1


async def test_entries_wait_while_the_database_is_away(database: TemporaryDatabase) -> None:
    pool = Database(database.dsn, pool_size=1, pool_wait_s=1.0)
    ledger = LedgerTable(pool, capacity=3)
    async with pool.use():  # the only connection
        for number in range(5):
            ledger.record(entry(model=f"m{number}"))
        await ledger.flush()
        with pytest.raises(Unavailable):
            await ledger.totals(ANN, *EVER, UsageGrouping.MODEL)
    await ledger.flush()
    kept = await ledger.totals(ANN, *EVER, UsageGrouping.MODEL)
    assert [each.name for each in kept] == ["openai/m2", "openai/m3", "openai/m4"]
    await pool.close()


async def test_many_entries_are_written_in_batches(ledger: LedgerTable) -> None:
    for _ in range(2500):
        ledger.record(entry())
    await ledger.flush()
    [total] = await ledger.totals(ANN, *EVER, UsageGrouping.MODEL)
    assert total.calls == 2500


async def test_an_entry_that_is_sent_again_is_stored_once(ledger: LedgerTable) -> None:
    for _ in range(3):
        ledger.record(entry())
    sent = [*ledger._pending]
    await ledger.flush()
    ledger._pending.extend(sent)  # as after an answer that was lost
    ledger.record(entry())
    await ledger.flush()
    [total] = await ledger.totals(ANN, *EVER, UsageGrouping.MODEL)
    assert total.calls == 4


async def test_an_entry_that_cannot_be_stored_takes_no_other_with_it(ledger: LedgerTable) -> None:
    for number in range(9):
        ledger.record(entry(model=f"m{number}"))
    ledger.record(entry(model="a\x00b"))
    ledger.record(entry(usage=Usage(10**30, 1)))
    ledger.record(entry(model="last"))
    await ledger.flush()
    kept = {each.name for each in await ledger.totals(ANN, *EVER, UsageGrouping.MODEL)}
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
    [total] = await ledger.totals(ANN, *EVER, UsageGrouping.MODEL)
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
    [total] = await ledger.totals(ANN, *EVER, UsageGrouping.MODEL)
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
    assert [each.name for each in await ledger.totals(ANN, *EVER, UsageGrouping.MODEL)] == [
        "openai/new"
    ]
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

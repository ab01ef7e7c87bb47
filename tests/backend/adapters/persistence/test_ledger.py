"""The usage ledger in Postgres: batches, outages, totals by group and owner."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.harness.database import TemporaryDatabase
from tests.harness.rows import ANN, BOB

from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.ledger import LedgerTable
from cartrita.domain.errors import Unavailable
from cartrita.domain.ledger import CallOutcome, LedgerEntry, UsageGrouping
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
    pool = Database(database.dsn, pool_size=1, pool_wait_s=0.05)
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

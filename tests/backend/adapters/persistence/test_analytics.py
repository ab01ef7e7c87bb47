"""Analytics in Postgres: who was active, how calls and runs ended, who spent how much."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import text
from tests.backend.adapters.persistence.accounts import a_user, stored_user
from tests.backend.adapters.persistence.test_ledger import entry
from tests.harness.database import TemporaryDatabase
from tests.harness.rows import ANN, BOB, stored_branch, stored_conversation, stored_run

from cartrita.adapters.persistence.analytics import AnalyticsTable
from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.ledger import LedgerTable
from cartrita.domain.analytics import AnalyticsQuery, AnalyticsStep
from cartrita.domain.ledger import CallOutcome
from cartrita.domain.runs import RunStatus

DAY = timedelta(days=1)


def asked(**values: Any) -> AnalyticsQuery:
    now = datetime.now(UTC)
    given: dict[str, Any] = {"tenant_id": None, "since": now - DAY, "until": now + DAY}
    return AnalyticsQuery(**{**given, **values})


async def record(pool: Database, *entries: dict[str, Any]) -> None:
    ledger = LedgerTable(pool)
    for values in entries:
        ledger.record(entry(at=datetime.now(UTC), **values))
    await ledger.flush()


async def run(pool: Database, dsn: str, owner_id: str, status: str = "completed") -> None:
    conversation = await stored_conversation(pool, owner_id)
    question, answer = await stored_branch(pool, conversation, "Why?", "So.")
    await stored_run(dsn, conversation, question.id, answer.id, status=status)


@pytest.fixture
async def busy(pool: Database, database: TemporaryDatabase) -> AnalyticsTable:
    """Ann and Bob of two tenants, and a third who calls without being a user."""
    for user in (ANN, BOB):
        await stored_user(pool, a_user(user))
    await run(pool, database.dsn, ANN)
    await run(pool, database.dsn, ANN, "failed")
    await run(pool, database.dsn, BOB)
    slow = {"provider": "slow", "first_token_seconds": None, "cost": None}
    await record(
        pool,
        *({"seconds": n / 10} for n in range(1, 12)),
        {"outcome": CallOutcome.FAILED, "surface": "native"},
        {"outcome": CallOutcome.CUT, "surface": "native"},
        {"outcome": CallOutcome.CANCELLED, "surface": "native"},
        {**slow, "owner_id": BOB, "seconds": 9.0},
        {**slow, "owner_id": "brought_1", "seconds": 9.0},
    )
    return AnalyticsTable(pool)


async def test_who_was_active(busy: AnalyticsTable) -> None:
    found = await busy.analytics(asked())
    assert (found.active_users, found.active_conversations) == (3, 3)
    days = found.activity
    assert sum(day.runs for day in days) == 3
    assert max(day.active_users for day in days) == 3
    assert all(day.at.hour == 0 for day in days)


async def test_by_week(busy: AnalyticsTable) -> None:
    found = await busy.analytics(asked(step=AnalyticsStep.WEEK))
    assert {week.at.weekday() for week in found.activity} == {0}


async def test_how_runs_and_calls_ended(busy: AnalyticsTable) -> None:
    found = await busy.analytics(asked())
    assert {one.status: one.runs for one in found.runs} == {
        RunStatus.COMPLETED: 2,
        RunStatus.FAILED: 1,
    }
    chat, native = found.surfaces
    assert (chat.surface, chat.calls, chat.failed_calls) == ("openai_chat", 13, 0)
    assert (native.surface, native.calls) == ("native", 3)
    assert (native.failed_calls, native.cut_calls, native.cancelled_calls) == (1, 1, 1)


async def test_how_long_providers_took(busy: AnalyticsTable) -> None:
    openai, slow = (await busy.analytics(asked())).providers
    assert (openai.provider, openai.calls, openai.failed_calls) == ("openai", 14, 1)
    assert openai.seconds_p50 == pytest.approx(0.6)
    assert openai.seconds_p95 == pytest.approx(1.05)
    assert openai.first_token_seconds_p50 == 0.25
    assert openai.cost == 14 * Decimal("0.000075")
    assert (slow.seconds_p50, slow.first_token_seconds_p95) == (9.0, None)
    assert (slow.cost, slow.unpriced_calls) == (0, 2)


async def test_who_spent_the_most(busy: AnalyticsTable) -> None:
    found = await busy.analytics(asked())
    assert [one.owner_id for one in found.spenders] == [ANN, BOB, "brought_1"]
    dearest = found.spenders[0]
    assert (dearest.calls, dearest.input_tokens, dearest.output_tokens) == (14, 140, 70)
    assert dearest.cost == 14 * Decimal("0.000075")
    few = await busy.analytics(asked(spenders=1))
    assert [one.owner_id for one in few.spenders] == [ANN]


async def test_of_one_tenant(busy: AnalyticsTable) -> None:
    found = await busy.analytics(asked(tenant_id=BOB))
    assert (found.active_users, found.active_conversations) == (1, 1)
    assert [one.runs for one in found.runs] == [1]
    assert [one.surface for one in found.surfaces] == ["openai_chat"]
    assert [one.provider for one in found.providers] == ["slow"]
    assert [one.owner_id for one in found.spenders] == [BOB]


async def test_of_another_time(busy: AnalyticsTable) -> None:
    query = asked()
    found = await busy.analytics(replace(query, since=query.since - DAY, until=query.since))
    assert found.active_users == 0
    assert found.activity == found.runs == found.spenders == ()


async def test_indexes_find_the_rows_of_the_time(busy: AnalyticsTable, pool: Database) -> None:
    """With more than a few rows, of which these are some."""
    fill = (
        "INSERT INTO usage_ledger SELECT cartrita_uuid7_floor(at - interval '40 days' "
        "+ n * interval '1 second'), owner_id, key_id, run_id, surface, provider, model, "
        "input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, "
        "cache_write_1h_tokens, reasoning_tokens, estimated, error_bound, cost, outcome, seconds, "
        "first_token_seconds, at - interval '40 days' + n * interval '1 second' "
        "FROM (SELECT * FROM usage_ledger LIMIT 1) one, generate_series(1, 20000) n"
    )
    explain = (
        "EXPLAIN SELECT count(*) FROM usage_ledger WHERE id >= cartrita_uuid7_floor(now() - "
        "interval '1 day') AND id < cartrita_uuid7_floor(now()) AND at >= now() - interval '1 day'"
    )
    async with pool.use() as connection:
        await connection.execute(text(fill))
        await connection.execute(text("ANALYZE usage_ledger"))
        plan = "\n".join((await connection.scalars(text(explain))).all())
    assert "Index" in plan
    assert (await busy.analytics(asked())).active_users == 3

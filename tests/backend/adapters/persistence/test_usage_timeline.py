"""Timelines of usage in Postgres: intervals, groups, percentiles."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.backend.adapters.persistence.test_ledger import entry
from tests.harness.rows import ANN, BOB

from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.ledger import LedgerTable
from cartrita.adapters.persistence.usage_reports import UsageReportTable
from cartrita.domain.ledger import (
    NONE,
    OTHERS,
    CallOutcome,
    TimelineStep,
    UsageGroup,
    UsageGrouping,
    UsageInterval,
    UsageQuery,
)

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
async def recorded(pool: Database) -> UsageReportTable:
    ledger = LedgerTable(pool)

    def record(**values: Any) -> None:
        ledger.record(entry(**values))

    for tenths in range(1, 12):  # 0.1 s to 1.1 s
        record(seconds=tenths / 10, first_token_seconds=tenths / 100, agent="writer")
    record(at=NOON - HOUR, provider="anthropic", cost=None, first_token_seconds=None)
    record(at=NOON - DAY, outcome=CallOutcome.FAILED, seconds=99.0)
    record(owner_id=BOB)
    await ledger.flush()
    return UsageReportTable(pool)


async def timeline(
    recorded: UsageReportTable,
    since: datetime,
    until: datetime,
    step: TimelineStep,
    grouping: UsageGrouping = UsageGrouping.PROVIDER,
    limit: int = 9,
) -> list[UsageInterval]:
    query = UsageQuery(owner_id=ANN, since=since, until=until, grouping=grouping)
    return await recorded.timeline(query, step, limit=limit)


async def test_by_day(recorded: UsageReportTable) -> None:
    yesterday, anthropic, openai = await timeline(
        recorded, NOON - 9 * DAY, NOON + DAY, TimelineStep.DAY
    )
    midnight = NOON.replace(hour=0)
    assert (yesterday.at, yesterday.calls, yesterday.failed_calls) == (midnight - DAY, 1, 1)
    assert yesterday.seconds_p50 is yesterday.first_token_seconds_p95 is None
    assert (anthropic.at, anthropic.group.id, anthropic.cost) == (midnight, "anthropic", 0)
    assert (anthropic.unpriced_calls, openai.unpriced_calls) == (1, 0)
    assert (anthropic.seconds_p95, anthropic.first_token_seconds_p50) == (1.5, None)
    assert (openai.at, openai.group.name, openai.calls) == (midnight, "openai", 11)
    assert (openai.input_tokens, openai.output_tokens) == (110, 55)
    assert openai.cost == 11 * Decimal("0.000075")
    assert openai.seconds_p50 == pytest.approx(0.6)
    assert openai.seconds_p95 == pytest.approx(1.05)
    assert openai.first_token_seconds_p95 == pytest.approx(0.105)


async def test_by_hour_up_to_before_the_end(recorded: UsageReportTable) -> None:
    [before] = await timeline(recorded, NOON - 2 * HOUR, NOON, TimelineStep.HOUR)
    assert (before.at, before.group.id) == (NOON - HOUR, "anthropic")
    [now] = await timeline(recorded, NOON, NOON + HOUR, TimelineStep.HOUR)
    assert (now.at, now.group.id, now.calls) == (NOON, "openai", 11)


async def test_by_agent(recorded: UsageReportTable) -> None:
    found = await timeline(
        recorded, NOON - 9 * DAY, NOON + DAY, TimelineStep.DAY, UsageGrouping.AGENT
    )
    writer = UsageGroup(name="writer", id="writer")
    assert [(one.group, one.calls) for one in found] == [(NONE, 1), (writer, 11), (NONE, 1)]


async def test_those_beyond_the_dearest_are_added_up(recorded: UsageReportTable) -> None:
    ever = NOON - 9 * DAY, NOON + DAY
    by_agent = UsageGrouping.AGENT
    found = await timeline(recorded, *ever, TimelineStep.DAY, by_agent, 1)
    writer = UsageGroup(name="writer", id="writer")
    assert [(one.group, one.calls) for one in found] == [(OTHERS, 1), (writer, 11), (OTHERS, 1)]
    by_model = UsageGrouping.MODEL
    [yesterday, today] = await timeline(recorded, *ever, TimelineStep.DAY, by_model, 0)
    assert (yesterday.group, today.group, today.calls) == (OTHERS, OTHERS, 12)
    assert today.seconds_p50 == pytest.approx(0.65), "measured over all of them"

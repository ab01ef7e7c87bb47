"""Timelines of usage in Postgres: intervals, providers, percentiles."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.backend.adapters.persistence.test_ledger import entry
from tests.harness.rows import ANN, BOB

from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.ledger import LedgerTable
from cartrita.domain.ledger import CallOutcome, TimelineStep

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
async def recorded(pool: Database) -> LedgerTable:
    ledger = LedgerTable(pool)

    def record(**values: Any) -> None:
        ledger.record(entry(**values))

    for tenths in range(1, 12):  # 0.1 s to 1.1 s
        record(seconds=tenths / 10, first_token_seconds=tenths / 100)
    record(at=NOON - HOUR, provider="anthropic", cost=None, first_token_seconds=None)
    record(at=NOON - DAY, outcome=CallOutcome.FAILED, seconds=99.0)
    record(owner_id=BOB)
    await ledger.flush()
    return ledger


async def test_by_day(recorded: LedgerTable) -> None:
    yesterday, anthropic, openai = await recorded.timeline(
        ANN, NOON - 9 * DAY, NOON + DAY, TimelineStep.DAY
    )
    midnight = NOON.replace(hour=0)
    assert (yesterday.at, yesterday.calls, yesterday.failed_calls) == (midnight - DAY, 1, 1)
    assert yesterday.seconds_p50 is yesterday.first_token_seconds_p95 is None
    assert (anthropic.at, anthropic.provider, anthropic.cost) == (midnight, "anthropic", 0)
    assert (anthropic.seconds_p95, anthropic.first_token_seconds_p50) == (1.5, None)
    assert (openai.at, openai.provider, openai.calls) == (midnight, "openai", 11)
    assert (openai.input_tokens, openai.output_tokens) == (110, 55)
    assert openai.cost == 11 * Decimal("0.000075")
    assert openai.seconds_p50 == pytest.approx(0.6)
    assert openai.seconds_p95 == pytest.approx(1.05)
    assert openai.first_token_seconds_p95 == pytest.approx(0.105)


async def test_by_hour_up_to_before_the_end(recorded: LedgerTable) -> None:
    [before] = await recorded.timeline(ANN, NOON - 2 * HOUR, NOON, TimelineStep.HOUR)
    assert (before.at, before.provider) == (NOON - HOUR, "anthropic")
    [now] = await recorded.timeline(ANN, NOON, NOON + HOUR, TimelineStep.HOUR)
    assert (now.at, now.provider, now.calls) == (NOON, "openai", 11)

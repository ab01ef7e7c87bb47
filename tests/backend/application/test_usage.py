"""Reports of usage: whose, and of which period."""

from datetime import UTC, datetime, timedelta

import pytest

from cartrita.application.usage import MOST_GROUPS, MOST_LINES, UsageReports
from cartrita.domain.errors import InvalidInput
from cartrita.domain.ledger import (
    TimelineStep,
    UsageFilter,
    UsageGrouping,
    UsageInterval,
    UsageQuery,
    UsageTotals,
)
from cartrita.domain.principals import Principal

ANN = Principal("ann", "k")
NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)


class RecordingReader:
    """Records what it was asked for, and answers nothing."""

    def __init__(self) -> None:
        self.asked: list[tuple[UsageQuery, TimelineStep | None, int]] = []

    async def totals(self, query: UsageQuery, *, limit: int) -> UsageTotals:
        self.asked.append((query, None, limit))
        return UsageTotals()

    async def timeline(
        self, query: UsageQuery, step: TimelineStep, *, limit: int
    ) -> list[UsageInterval]:
        self.asked.append((query, step, limit))
        return []


async def test_a_report_is_of_the_principal_and_of_the_last_month() -> None:
    reader = RecordingReader()
    before = datetime.now(UTC)
    assert await UsageReports(reader).totals(ANN) == UsageTotals()
    [(query, _, limit)] = reader.asked
    assert (query.owner_id, query.grouping, limit) == ("ann", UsageGrouping.MODEL, MOST_GROUPS)
    assert query.until > before
    assert query.until - query.since == timedelta(days=30)


async def test_what_is_asked_for_can_be_chosen() -> None:
    reader = RecordingReader()
    which = UsageFilter(agent="writer")
    until = NOON + timedelta(1)
    await UsageReports(reader).totals(
        ANN, since=NOON, until=until, grouping=UsageGrouping.DAY, which=which, limit=3
    )
    query = UsageQuery(
        owner_id="ann", since=NOON, until=until, grouping=UsageGrouping.DAY, which=which
    )
    assert reader.asked == [(query, None, 3)]


@pytest.mark.parametrize(
    ("since", "until"),
    [
        (NOON, NOON),
        (NOON + timedelta(1), NOON),
        (NOON.replace(tzinfo=None), NOON),
        (datetime.min.replace(tzinfo=UTC), NOON),
        (None, datetime.min.replace(tzinfo=UTC)),
        (None, datetime.max.replace(tzinfo=UTC)),
    ],
)
async def test_a_period_that_is_none(since: datetime | None, until: datetime) -> None:
    with pytest.raises(InvalidInput):
        await UsageReports(RecordingReader()).totals(ANN, since=since, until=until)


async def test_a_timeline_is_of_the_principal_and_of_the_last_month() -> None:
    reader = RecordingReader()
    assert await UsageReports(reader).timeline(ANN) == []
    [(query, step, limit)] = reader.asked
    assert (query.owner_id, step, limit) == ("ann", TimelineStep.DAY, MOST_LINES)
    assert query.grouping is UsageGrouping.PROVIDER
    assert query.until - query.since == timedelta(days=30)


async def test_totals_are_not_endless() -> None:
    reports = UsageReports(RecordingReader())
    await reports.totals(ANN, since=NOON - timedelta(731), until=NOON)
    with pytest.raises(InvalidInput, match="731 days"):
        await reports.totals(ANN, since=NOON - timedelta(732), until=NOON)


@pytest.mark.parametrize(("step", "days"), [(TimelineStep.HOUR, 31), (TimelineStep.DAY, 731)])
async def test_a_timeline_is_not_endless(step: TimelineStep, days: int) -> None:
    reports = UsageReports(RecordingReader())
    assert await reports.timeline(ANN, since=NOON - timedelta(days), until=NOON, step=step) == []
    with pytest.raises(InvalidInput, match=f"{days} days"):
        await reports.timeline(ANN, since=NOON - timedelta(days + 1), until=NOON, step=step)

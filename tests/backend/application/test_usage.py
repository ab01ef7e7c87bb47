"""Reports of usage: whose, and of which period."""

from datetime import UTC, datetime, timedelta

import pytest

from cartrita.application.usage import UsageReports
from cartrita.domain.errors import InvalidInput
from cartrita.domain.ledger import TimelineStep, UsageGrouping, UsageInterval, UsageTotal
from cartrita.domain.principals import Principal

ANN = Principal("ann", "k")
NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)


class RecordingReader:
    """Records what it was asked for, and answers nothing."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, datetime, datetime, UsageGrouping | TimelineStep]] = []

    async def totals(
        self, owner_id: str, since: datetime, until: datetime, grouping: UsageGrouping
    ) -> list[UsageTotal]:
        self.asked.append((owner_id, since, until, grouping))
        return []

    async def timeline(
        self, owner_id: str, since: datetime, until: datetime, step: TimelineStep
    ) -> list[UsageInterval]:
        self.asked.append((owner_id, since, until, step))
        return []


async def test_a_report_is_of_the_principal_and_of_the_last_month() -> None:
    reader = RecordingReader()
    before = datetime.now(UTC)
    assert await UsageReports(reader).totals(ANN) == []
    [(owner, since, until, grouping)] = reader.asked
    assert (owner, grouping) == ("ann", UsageGrouping.MODEL)
    assert until > before
    assert until - since == timedelta(days=30)


async def test_a_period_can_be_chosen() -> None:
    reader = RecordingReader()
    await UsageReports(reader).totals(
        ANN, since=NOON, until=NOON + timedelta(1), grouping=UsageGrouping.DAY
    )
    assert reader.asked == [("ann", NOON, NOON + timedelta(1), UsageGrouping.DAY)]


@pytest.mark.parametrize(
    ("since", "until"),
    [(NOON, NOON), (NOON + timedelta(1), NOON), (NOON.replace(tzinfo=None), NOON)],
)
async def test_a_period_that_is_none(since: datetime, until: datetime) -> None:
    with pytest.raises(InvalidInput):
        await UsageReports(RecordingReader()).totals(ANN, since=since, until=until)


async def test_a_timeline_is_of_the_principal_and_of_the_last_month() -> None:
    reader = RecordingReader()
    assert await UsageReports(reader).timeline(ANN) == []
    [(owner, since, until, step)] = reader.asked
    assert (owner, step) == ("ann", TimelineStep.DAY)
    assert until - since == timedelta(days=30)


@pytest.mark.parametrize(("step", "days"), [(TimelineStep.HOUR, 31), (TimelineStep.DAY, 731)])
async def test_a_timeline_is_not_endless(step: TimelineStep, days: int) -> None:
    reports = UsageReports(RecordingReader())
    assert await reports.timeline(ANN, since=NOON - timedelta(days), until=NOON, step=step) == []
    with pytest.raises(InvalidInput, match=f"{days} days"):
        await reports.timeline(ANN, since=NOON - timedelta(days + 1), until=NOON, step=step)

"""Periods of budgets begin and end by UTC, and what is left is never less than nothing."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from cartrita.domain.budgets import (
    Budget,
    BudgetPeriod,
    BudgetState,
    BudgetSubject,
    BudgetUnit,
    SubjectKind,
)


@pytest.mark.parametrize(
    ("period", "moment", "since", "end"),
    [
        (BudgetPeriod.DAY, "2026-12-31T23:59Z", date(2026, 12, 31), date(2027, 1, 1)),
        (BudgetPeriod.DAY, "2028-02-28T00:00Z", date(2028, 2, 28), date(2028, 2, 29)),
        (BudgetPeriod.MONTH, "2026-12-31T00:00Z", date(2026, 12, 1), date(2027, 1, 1)),
        (BudgetPeriod.MONTH, "2026-01-01T00:00Z", date(2026, 1, 1), date(2026, 2, 1)),
        (BudgetPeriod.MONTH, "2028-02-29T00:00Z", date(2028, 2, 1), date(2028, 3, 1)),
    ],
)
def test_where_a_period_begins_and_ends(
    period: BudgetPeriod, moment: str, since: date, end: date
) -> None:
    here = datetime.fromisoformat(moment).astimezone(timezone(timedelta(hours=9)))
    assert period.since(here) == since
    assert period.end(here) == datetime(end.year, end.month, end.day, tzinfo=UTC)


def test_what_is_left_is_not_negative() -> None:
    subject = BudgetSubject(SubjectKind.KEY, "k")
    budget = Budget(subject, BudgetPeriod.DAY, BudgetUnit.TOKENS, Decimal(10))
    assert BudgetState(budget, settled=Decimal(4), overrun=Decimal(1)).left == 5
    assert BudgetState(budget, settled=Decimal(10), overrun=Decimal(1)).left == 0

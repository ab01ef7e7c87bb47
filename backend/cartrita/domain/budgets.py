"""Budgets: how much a key, a user or a tenant may use of models in a day or a month."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum

import msgspec


class SubjectKind(StrEnum):
    """What a budget is of."""

    KEY = "key"
    USER = "user"
    TENANT = "tenant"


class BudgetSubject(msgspec.Struct, frozen=True):
    """Whose budget it is, by its id. That of a key is of its successors too."""

    kind: SubjectKind
    id: str


class BudgetPeriod(StrEnum):
    """In what time a budget may be used: days and months are those of UTC."""

    DAY = "day"
    MONTH = "month"

    def since(self, moment: datetime) -> date:
        """The first day of the period in which this moment is."""
        day = moment.astimezone(UTC).date()
        return day if self is BudgetPeriod.DAY else day.replace(day=1)

    def end(self, moment: datetime) -> datetime:
        """The moment at which the next period begins."""
        first = self.since(moment)
        days = 1 if self is BudgetPeriod.DAY else 32
        following = self.since(datetime.combine(first + timedelta(days), time(), UTC))
        return datetime.combine(following, time(), UTC)


class BudgetUnit(StrEnum):
    """What is counted: US dollars, or tokens of input and output together."""

    MONEY = "money"
    TOKENS = "tokens"


class Budget(msgspec.Struct, frozen=True):
    """At most so much may be used in each period."""

    subject: BudgetSubject
    period: BudgetPeriod
    unit: BudgetUnit
    amount: Decimal


class BudgetSpending(msgspec.Struct, frozen=True):
    """What was used of one budget in the period that began on the day `since`."""

    subject: BudgetSubject
    period: BudgetPeriod
    unit: BudgetUnit
    since: date


class Settlement(msgspec.Struct, frozen=True):
    """What one call used of a budget.

    `spent` had been leased for it; `overrun` is what its provider used above all that was.
    """

    spending: BudgetSpending
    spent: Decimal
    overrun: Decimal = Decimal(0)


class BudgetState(msgspec.Struct, frozen=True):
    """A budget and what was used of it in this period.

    `leased` is set aside by processes for calls that run or may soon begin.
    """

    budget: Budget
    settled: Decimal = Decimal(0)
    leased: Decimal = Decimal(0)
    overrun: Decimal = Decimal(0)

    @property
    def used(self) -> Decimal:
        return self.settled + self.overrun

    @property
    def left(self) -> Decimal:
        """What has not been used; a part of it may be leased."""
        return max(self.budget.amount - self.used, Decimal(0))


class AllBudgets(msgspec.Struct, frozen=True):
    """All budgets by their subjects; `roots` are the keys with a budget that a key succeeds."""

    by_subject: Mapping[BudgetSubject, tuple[Budget, ...]] = {}
    roots: Mapping[str, tuple[str, ...]] = {}

    def of(self, key_id: str | None, owner_id: str, tenant_id: str) -> tuple[Budget, ...]:
        """The budgets that a call of this key for this user of this tenant counts against."""
        if not self.by_subject:
            return ()
        subjects = [BudgetSubject(SubjectKind.KEY, one) for one in self._keys(key_id)]
        subjects.append(BudgetSubject(SubjectKind.USER, owner_id))
        subjects.append(BudgetSubject(SubjectKind.TENANT, tenant_id))
        return tuple(one for subject in subjects for one in self.by_subject.get(subject, ()))

    def _keys(self, key_id: str | None) -> tuple[str, ...]:
        return () if key_id is None else (*self.roots.get(key_id, ()), key_id)

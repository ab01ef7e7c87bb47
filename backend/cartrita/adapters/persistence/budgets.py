"""Budgets in the database: implements BudgetLeases and BudgetStore.

A row of `budget_spending` is one budget in one period. What processes have leased is taken from it
before it is used, and a constraint of the row refuses what would pass the budget.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Row, and_, delete, func, insert, select, text, tuple_

from cartrita.adapters.persistence.audit import record
from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.tables.usage import budget_spending
from cartrita.adapters.persistence.tables.usage import budgets as budget_table
from cartrita.domain.audit import Change
from cartrita.domain.budgets import (
    AllBudgets,
    Budget,
    BudgetPeriod,
    BudgetSpending,
    BudgetState,
    BudgetSubject,
    BudgetUnit,
    Settlement,
    SubjectKind,
)

_b, _s = budget_table.c, budget_spending.c
_KEPT_DAYS: Final = 400
_PLACES: Final = {BudgetUnit.MONEY: 9, BudgetUnit.TOKENS: 0}
"""Digits after the point of what is leased; the least that is asked for may have more."""

_COLUMNS = "subject_kind, subject_id, period, unit"
_OPEN = text(f"""
INSERT INTO budget_spending ({_COLUMNS}, since, most)
SELECT {_COLUMNS}, :since, amount FROM budgets
WHERE ({_COLUMNS}) = (:kind, :id, :period, :unit)
ON CONFLICT DO NOTHING
""")
# A sixteenth of what is left, or as much as the caller must have. The row stays locked until it is
# leased: one statement that locked it and updated it, too, was seen to reckon with two versions of
# it where others gave back meanwhile.
_GRANT = text(f"""
SELECT amount, CASE WHEN left_over <= 0 OR left_over < :least THEN 0
  ELSE least(:wanted, greatest(:least, trunc(left_over / 16, :places))) END AS granted
FROM (
  SELECT b.amount, b.amount - s.settled - s.leased - s.overrun AS left_over
  FROM budget_spending s JOIN budgets b USING ({_COLUMNS})
  WHERE ({_COLUMNS}) = (:kind, :id, :period, :unit) AND s.since = :since
  FOR UPDATE OF s
) AS locked
""")
_LEASE = text(f"""
UPDATE budget_spending
SET leased = leased + :granted, most = greatest(:amount, settled + leased)
WHERE ({_COLUMNS}) = (:kind, :id, :period, :unit) AND since = :since
""")
_GIVE_BACK = text(f"""
UPDATE budget_spending SET leased = greatest(leased - :amount, 0)
WHERE ({_COLUMNS}) = (:kind, :id, :period, :unit) AND since = :since
""")
# A key may have been replaced several times since it was given its budget.
_ROOTS = text("""
WITH RECURSIVE family (id, root) AS (
  SELECT DISTINCT k.replaced_by, b.subject_id FROM budgets b JOIN api_keys k ON k.id = b.subject_id
  WHERE b.subject_kind = 'key' AND k.replaced_by IS NOT NULL
  UNION
  SELECT k.replaced_by, f.root FROM family f JOIN api_keys k ON k.id = f.id
  WHERE k.replaced_by IS NOT NULL
)
SELECT id, root FROM family ORDER BY root
""")
_SETTLE: Final = f"""
UPDATE budget_spending
SET settled = settled + $6, leased = greatest(leased - $6, 0), overrun = overrun + $7
WHERE ({_COLUMNS}) = ($1, $2, $3, $4) AND since = $5
"""


class BudgetTable:
    """Budgets, and what was used of them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> AllBudgets:
        """See BudgetLeases."""
        async with self._database.use() as connection:
            rows = (await connection.execute(select(budget_table))).all()
            heirs = (await connection.execute(_ROOTS)).all()
        by_subject: dict[BudgetSubject, tuple[Budget, ...]] = {}
        for row in rows:
            budget = _budget(row)
            by_subject[budget.subject] = (*by_subject.get(budget.subject, ()), budget)
        roots: dict[str, tuple[str, ...]] = {}
        for heir, root in heirs:
            roots[heir] = (*roots.get(heir, ()), root)
        return AllBudgets(by_subject, roots)

    async def lease(self, spending: BudgetSpending, least: Decimal, wanted: Decimal) -> Decimal:
        """See BudgetLeases."""
        asked = {
            **_key(spending),
            "least": least,
            "wanted": wanted,
            "places": _PLACES[spending.unit],
        }
        granted = await self._leased(spending, asked)
        if granted is None:  # nothing was used in this period so far
            async with self._database.use() as connection:
                await connection.execute(_OPEN, _key(spending))
            granted = await self._leased(spending, asked)
        return Decimal(0) if granted is None else granted

    async def _leased(self, spending: BudgetSpending, asked: Mapping[str, Any]) -> Decimal | None:
        """What is leased; None where nothing is known of this budget in this period."""
        async with self._database.transaction() as connection:
            found = (await connection.execute(_GRANT, asked)).one_or_none()
            if found is None:
                return None
            if found.granted:
                await connection.execute(
                    _LEASE, {**_key(spending), "granted": found.granted, "amount": found.amount}
                )
        return found.granted

    async def give_back(self, spending: BudgetSpending, amount: Decimal) -> None:
        """See BudgetLeases."""
        async with self._database.use() as connection:
            await connection.execute(_GIVE_BACK, {**_key(spending), "amount": amount})

    async def replace(
        self, subject: BudgetSubject, budgets: Sequence[Budget], change: Change
    ) -> None:
        """See BudgetStore."""
        rows = [{**_values(one), "amount": one.amount} for one in budgets]
        async with self._database.transaction() as connection:
            await connection.execute(
                delete(budget_table).where(
                    _b.subject_kind == subject.kind, _b.subject_id == subject.id
                )
            )
            if rows:
                await connection.execute(insert(budget_table), rows)
            await record(connection, change)

    async def states(
        self, subjects: Collection[BudgetSubject], moment: datetime
    ) -> list[BudgetState]:
        """See BudgetStore."""
        same = [_b[name] == _s[name] for name in ("subject_kind", "subject_id", "period", "unit")]
        current = tuple_(_s.period, _s.since).in_([(p, p.since(moment)) for p in BudgetPeriod])
        counts = (func.coalesce(one, 0) for one in (_s.settled, _s.leased, _s.overrun))
        asked = [(one.kind, one.id) for one in subjects]
        query = (
            select(budget_table, *counts)
            .outerjoin(budget_spending, and_(*same, current))
            .where(tuple_(_b.subject_kind, _b.subject_id).in_(asked))
            .order_by(_b.subject_kind, _b.subject_id, _b.period, _b.unit)
        )
        async with self._database.use() as connection:
            rows = (await connection.execute(query)).all()
        return [BudgetState(_budget(row), *row[5:]) for row in rows]

    async def sweep(self) -> int:
        """Delete what was used in periods that are long over; the number of rows."""
        oldest = func.current_date() - _KEPT_DAYS
        async with self._database.use() as connection:
            return (
                await connection.execute(delete(budget_spending).where(_s.since < oldest))
            ).rowcount


async def settle(driver: Any, settlements: Iterable[Settlement]) -> None:  # noqa: ANN401 - untyped
    """Count what was used, in the transaction of this connection of asyncpg.

    Rows are always locked in the same order, so that no two transactions wait for each other.
    """
    sums: dict[tuple[object, ...], tuple[Decimal, Decimal]] = {}
    for one in settlements:
        key = tuple(_key(one.spending).values())
        spent, overrun = sums.get(key, (Decimal(0), Decimal(0)))
        sums[key] = spent + one.spent, overrun + one.overrun
    rows = sorted((*key, *amounts) for key, amounts in sums.items())
    if rows:
        await driver.executemany(_SETTLE, rows)


def _key(spending: BudgetSpending) -> dict[str, Any]:
    return {
        "kind": spending.subject.kind.value,
        "id": spending.subject.id,
        "period": spending.period.value,
        "unit": spending.unit.value,
        "since": spending.since,
    }


def _values(budget: Budget) -> dict[str, Any]:
    return {
        "subject_kind": budget.subject.kind,
        "subject_id": budget.subject.id,
        "period": budget.period,
        "unit": budget.unit,
    }


def _budget(row: Row[Any]) -> Budget:
    subject = BudgetSubject(SubjectKind(row.subject_kind), row.subject_id)
    return Budget(subject, BudgetPeriod(row.period), BudgetUnit(row.unit), row.amount)

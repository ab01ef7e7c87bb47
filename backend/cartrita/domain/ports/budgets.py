"""Ports of budgets: where they are kept, and where processes lease from them."""

from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from cartrita.domain.audit import Change
from cartrita.domain.budgets import (
    AllBudgets,
    Budget,
    BudgetSpending,
    BudgetState,
    BudgetSubject,
)


class BudgetLeases(Protocol):
    """What processes set aside of budgets, so that none can use what another one does."""

    async def all(self) -> AllBudgets: ...

    async def lease(self, spending: BudgetSpending, least: Decimal, wanted: Decimal) -> Decimal:
        """Set aside `wanted`, or less, but not less than `least`; 0 where less than that is left.

        The less is left, the less is leased beyond `least`.
        """
        ...

    async def give_back(self, spending: BudgetSpending, amount: Decimal) -> None:
        """Leave to others what was leased and is not needed."""
        ...


class BudgetStore(Protocol):
    """Keeps budgets. Each change is logged in its own transaction."""

    async def all(self) -> AllBudgets: ...

    async def replace(
        self, subject: BudgetSubject, budgets: Sequence[Budget], change: Change
    ) -> None:
        """Give a subject these budgets and no others."""
        ...

    async def states(
        self, subjects: Collection[BudgetSubject], moment: datetime
    ) -> list[BudgetState]:
        """The budgets of these subjects in the periods of this moment."""
        ...

"""Request and response schemas of budgets."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, TypeAlias

from pydantic import BaseModel, Field, PlainSerializer

from cartrita.application.budgets import BudgetAmount
from cartrita.domain.budgets import BudgetPeriod, BudgetState, BudgetUnit, SubjectKind
from cartrita.domain.usage import MOST_TOKENS
from cartrita.kit import clock
from cartrita.surfaces.native.request_bodies import ExactModel


def _plain(amount: Decimal) -> str:
    """Decimal text without an exponent."""
    return f"{amount.normalize():f}"


Amount: TypeAlias = Annotated[Decimal, PlainSerializer(_plain, return_type=str)]


class PeriodBudget(ExactModel):
    """What may be used in each period; null is not limited, and 0 allows no call that costs."""

    money: Annotated[
        Decimal | None,
        Field(ge=0, max_digits=18, decimal_places=6, description="US dollars."),
    ] = None
    tokens: Annotated[
        int | None,
        Field(strict=True, ge=0, le=MOST_TOKENS, description="Of input and output together."),
    ] = None


class BudgetsBody(ExactModel):
    """All budgets of a key, a user or a tenant, by days and months of UTC."""

    day: PeriodBudget = PeriodBudget()
    month: PeriodBudget = PeriodBudget()

    def to_amounts(self) -> list[BudgetAmount]:
        return [*_amounts(BudgetPeriod.DAY, self.day), *_amounts(BudgetPeriod.MONTH, self.month)]


class BudgetView(BaseModel):
    """A budget and what was used of it in this period. Amounts are US dollars, or tokens."""

    subject: SubjectKind
    subject_id: str
    period: BudgetPeriod
    unit: BudgetUnit
    amount: Amount
    used: Amount = Field(description="By calls that have ended, a second or so after that.")
    left: Amount
    set_aside: Amount = Field(description="Of what is left, for calls that run or may soon begin.")
    overrun: Amount = Field(
        description="Of what was used, that which providers used beyond what they were asked for."
    )
    resets_at: datetime

    @classmethod
    def of(cls, state: BudgetState) -> "BudgetView":
        budget = state.budget
        return cls(
            subject=budget.subject.kind,
            subject_id=budget.subject.id,
            period=budget.period,
            unit=budget.unit,
            amount=budget.amount,
            used=state.used,
            left=state.left,
            set_aside=min(state.leased, state.left),
            overrun=state.overrun,
            resets_at=budget.period.end(clock.now()),
        )


class BudgetList(BaseModel):
    """The budgets of one key, user or tenant."""

    items: list[BudgetView]

    @classmethod
    def of(cls, states: Sequence[BudgetState]) -> "BudgetList":
        return cls(items=[BudgetView.of(state) for state in states])


def _amounts(period: BudgetPeriod, budget: PeriodBudget) -> Iterator[BudgetAmount]:
    if budget.money is not None:
        yield BudgetAmount(period, BudgetUnit.MONEY, budget.money)
    if budget.tokens is not None:
        yield BudgetAmount(period, BudgetUnit.TOKENS, Decimal(budget.tokens))

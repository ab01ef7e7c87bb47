"""Usage endpoint."""

from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from cartrita.domain.ledger import UsageGrouping, UsageTotal
from cartrita.surfaces.dependencies import AppServices, CurrentPrincipal
from cartrita.surfaces.native.budget_schemas import BudgetView
from cartrita.surfaces.native.moments import Moment

router = APIRouter(prefix="/api/usage", tags=["usage"])


class UsageGroup(BaseModel):
    """What the model calls of one group used; token totals are inclusive."""

    name: str = Field(examples=["openai/gpt-5.4"])
    calls: int
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    reasoning_tokens: int
    estimated: bool = Field(description="Whether we counted a part, not the provider.")
    error_bound: float = Field(description="How far estimates may be off, as a fraction.")
    cost: Decimal = Field(description="US dollars, without the unpriced calls.")
    unpriced_calls: int = Field(description="Calls whose price is not known.")

    @classmethod
    def of(cls, total: UsageTotal) -> "UsageGroup":
        usage = total.usage
        return cls(
            name=total.name,
            calls=total.calls,
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cache_read_tokens=usage.cache_read_tokens,
            cache_write_tokens=usage.cache_write_tokens,
            reasoning_tokens=usage.reasoning_tokens,
            estimated=usage.estimated,
            error_bound=usage.error_bound,
            cost=total.cost,
            unpriced_calls=total.unpriced_calls,
        )


class UsageReport(BaseModel):
    """Usage by group, the dearest first."""

    items: list[UsageGroup]
    total_cost: Decimal = Field(description="US dollars, without the unpriced calls.")
    total_calls: int
    budgets: list[BudgetView] = Field(description="Those that your calls count against now.")


@router.get("")
async def get_usage(
    principal: CurrentPrincipal,
    services: AppServices,
    since: Annotated[
        Moment | None, Query(description="With a time zone; without it 30 days ago.")
    ] = None,
    until: Annotated[Moment | None, Query(description="Excluded; without it now.")] = None,
    group_by: UsageGrouping = UsageGrouping.MODEL,
) -> UsageReport:
    """What your model calls used and cost, and your budgets for them."""
    totals = await services.usage.totals(principal, since=since, until=until, grouping=group_by)
    return UsageReport(
        items=[UsageGroup.of(total) for total in totals],
        total_cost=sum((total.cost for total in totals), Decimal(0)),
        total_calls=sum(total.calls for total in totals),
        budgets=[BudgetView.of(one) for one in await services.budgets.of_caller(principal)],
    )

"""Usage endpoints: totals by group, and a timeline."""

from decimal import Decimal
from typing import Annotated, TypeAlias

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from cartrita.application.usage import MOST_GROUPS
from cartrita.domain.ledger import TimelineStep, UsageFilter, UsageGrouping
from cartrita.surfaces.dependencies import AppServices, CurrentPrincipal, Storable
from cartrita.surfaces.native.budget_schemas import BudgetView
from cartrita.surfaces.native.moments import Moment
from cartrita.surfaces.native.usage_schemas import UsageGroup, UsageIntervalView

router = APIRouter(prefix="/api/usage", tags=["usage"])


class UsageReport(BaseModel):
    """Usage by group, the dearest first, and the totals of all groups."""

    items: list[UsageGroup]
    groups: int = Field(description="How many there are, of which `items` has `limit` at most.")
    total_cost: Decimal = Field(description="US dollars, without the unpriced calls.")
    total_calls: int
    total_unpriced_calls: int = Field(description="Calls whose price is not known.")
    budgets: list[BudgetView] = Field(description="Those that your calls count against now.")


class UsageTimeline(BaseModel):
    """Intervals that have calls, the oldest first, one for each group that has some.

    The twelve dearest groups of the whole time are told apart, and the others added up.
    """

    step: TimelineStep
    group_by: UsageGrouping
    items: list[UsageIntervalView]


Since: TypeAlias = Annotated[
    Moment | None, Query(description="With a time zone; without it 30 days ago.")
]
Until: TypeAlias = Annotated[Moment | None, Query(description="Excluded; without it now.")]
_Named: TypeAlias = Annotated[Storable | None, Query(max_length=255)]


async def _filter(
    provider: _Named = None,
    model: Annotated[
        Storable | None, Query(max_length=255, description="With or without its provider.")
    ] = None,
    surface: _Named = None,
    agent: _Named = None,
    key_id: _Named = None,
    conversation_id: _Named = None,
) -> UsageFilter:
    """Only calls of these count."""
    return UsageFilter(
        provider=provider,
        model=model,
        surface=surface,
        agent=agent,
        key_id=key_id,
        conversation_id=conversation_id,
    )


_Which: TypeAlias = Annotated[UsageFilter, Depends(_filter)]


@router.get("")
async def get_usage(
    principal: CurrentPrincipal,
    services: AppServices,
    which: _Which,
    since: Since = None,
    until: Until = None,
    group_by: UsageGrouping = UsageGrouping.MODEL,
    limit: Annotated[int, Query(ge=1, le=MOST_GROUPS)] = MOST_GROUPS,
) -> UsageReport:
    """What your model calls used and cost, and your budgets for them."""
    totals = await services.usage.totals(
        principal, since=since, until=until, grouping=group_by, which=which, limit=limit
    )
    return UsageReport(
        items=[UsageGroup.of(total) for total in totals.items],
        groups=totals.groups,
        total_cost=totals.cost,
        total_calls=totals.calls,
        total_unpriced_calls=totals.unpriced_calls,
        budgets=[BudgetView.of(one) for one in await services.budgets.of_caller(principal)],
    )


@router.get("/timeline")
async def get_usage_timeline(
    principal: CurrentPrincipal,
    services: AppServices,
    which: _Which,
    since: Since = None,
    until: Until = None,
    step: TimelineStep = TimelineStep.DAY,
    group_by: UsageGrouping = UsageGrouping.PROVIDER,
) -> UsageTimeline:
    """What your model calls used and cost over time, and how long they took.

    By hour at most 31 days at once.
    """
    found = await services.usage.timeline(
        principal, since=since, until=until, step=step, grouping=group_by, which=which
    )
    items = [UsageIntervalView.of(one, group_by) for one in found]
    return UsageTimeline(step=step, group_by=group_by, items=items)

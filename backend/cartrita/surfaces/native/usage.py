"""Usage endpoints: totals by group, and a timeline by provider."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, TypeAlias

import msgspec
from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from cartrita.domain.ledger import TimelineStep, UsageGrouping, UsageInterval, UsageTotal
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
    audio_seconds: float = Field(description="How much speech was transcribed.")
    characters: int = Field(description="Of the texts that were spoken.")
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
            audio_seconds=total.audio_seconds,
            characters=total.characters,
            cost=total.cost,
            unpriced_calls=total.unpriced_calls,
        )


class UsageReport(BaseModel):
    """Usage by group, the dearest first."""

    items: list[UsageGroup]
    total_cost: Decimal = Field(description="US dollars, without the unpriced calls.")
    total_calls: int
    budgets: list[BudgetView] = Field(description="Those that your calls count against now.")


class UsageIntervalView(BaseModel):
    """What the calls of one provider used in one interval, and how long they took."""

    at: datetime = Field(description="When the interval begins.")
    provider: str = Field(examples=["openai"])
    calls: int
    failed_calls: int
    input_tokens: int
    output_tokens: int
    audio_seconds: float
    characters: int
    cost: Decimal = Field(description="US dollars, without the unpriced calls.")
    seconds_p50: float | None = Field(description="The median duration of completed calls.")
    seconds_p95: float | None = Field(description="19 of 20 completed calls took no longer.")
    first_token_seconds_p50: float | None = Field(description="The median time to first output.")
    first_token_seconds_p95: float | None

    @classmethod
    def of(cls, interval: UsageInterval) -> "UsageIntervalView":
        return cls(**msgspec.structs.asdict(interval))


class UsageTimeline(BaseModel):
    """Intervals that have calls, the oldest first, one for each provider that was called."""

    step: TimelineStep
    items: list[UsageIntervalView]


Since: TypeAlias = Annotated[
    Moment | None, Query(description="With a time zone; without it 30 days ago.")
]
Until: TypeAlias = Annotated[Moment | None, Query(description="Excluded; without it now.")]


@router.get("")
async def get_usage(
    principal: CurrentPrincipal,
    services: AppServices,
    since: Since = None,
    until: Until = None,
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


@router.get("/timeline")
async def get_usage_timeline(
    principal: CurrentPrincipal,
    services: AppServices,
    since: Since = None,
    until: Until = None,
    step: TimelineStep = TimelineStep.DAY,
) -> UsageTimeline:
    """What your model calls used and cost over time, and how long they took, by provider.

    By hour at most 31 days at once.
    """
    found = await services.usage.timeline(principal, since=since, until=until, step=step)
    return UsageTimeline(step=step, items=[UsageIntervalView.of(one) for one in found])

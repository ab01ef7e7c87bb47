"""Response schemas of analytics."""

from datetime import datetime
from decimal import Decimal

import msgspec
from pydantic import BaseModel, Field

from cartrita.domain.analytics import Analytics, AnalyticsStep, ProviderQuality, SurfaceQuality
from cartrita.domain.runs import RunStatus

_Rate = Field(description="The share of the calls that failed, before their answer or within it.")


class ActivityView(BaseModel):
    """Who did something in one interval."""

    at: datetime = Field(description="When the interval begins.")
    active_users: int = Field(description="Users who had a run or a call of a model.")
    active_conversations: int = Field(description="Conversations in which there was a run.")
    runs: int = Field(description="Runs that were asked for.")


class StatusCountView(BaseModel):
    """How many of the runs have this status now."""

    status: RunStatus
    runs: int = Field(description="How many have it.")


class SurfaceView(BaseModel):
    """How the calls that came in by one surface ended."""

    surface: str = Field(examples=["openai_chat"])
    calls: int
    failed_calls: int
    cut_calls: int = Field(description="Calls whose answer broke off.")
    cancelled_calls: int = Field(description="Calls whose caller left; they are no errors.")
    error_rate: float = _Rate


class ProviderQualityView(BaseModel):
    """How the calls of one provider ended, how long they took and what they cost."""

    provider: str = Field(examples=["openai"])
    calls: int
    failed_calls: int
    cut_calls: int = Field(description="Calls whose answer broke off.")
    cancelled_calls: int = Field(description="Calls whose caller left; they are no errors.")
    error_rate: float = _Rate
    unpriced_calls: int = Field(description="Calls whose price is not known.")
    cost: Decimal = Field(description="US dollars, without the unpriced calls.")
    seconds_p50: float | None = Field(description="The median duration of completed calls.")
    seconds_p95: float | None = Field(description="19 of 20 completed calls took no longer.")
    first_token_seconds_p50: float | None = Field(description="The median time to first output.")
    first_token_seconds_p95: float | None


class SpenderView(BaseModel):
    """What the calls of one user used."""

    owner_id: str
    calls: int
    unpriced_calls: int = Field(description="Calls whose price is not known.")
    input_tokens: int
    output_tokens: int
    cost: Decimal = Field(description="US dollars, without the unpriced calls.")


class AnalyticsReport(BaseModel):
    """How much the server is used, how well it answers, and who spends how much."""

    step: AnalyticsStep
    active_users: int = Field(description="In the whole time.")
    active_conversations: int = Field(description="In the whole time.")
    activity: list[ActivityView] = Field(description="Intervals that have any, oldest first.")
    runs: list[StatusCountView] = Field(description="Those that were asked for, by status.")
    surfaces: list[SurfaceView] = Field(description="Those with the most calls first.")
    providers: list[ProviderQualityView] = Field(description="Those with the most calls first.")
    spenders: list[SpenderView] = Field(description="The 100 users who spent the most.")

    @classmethod
    def of(cls, found: Analytics, step: AnalyticsStep) -> "AnalyticsReport":
        values = msgspec.structs.asdict
        return cls(
            step=step,
            active_users=found.active_users,
            active_conversations=found.active_conversations,
            activity=[ActivityView(**values(one)) for one in found.activity],
            runs=[StatusCountView(**values(one)) for one in found.runs],
            surfaces=[SurfaceView(**values(one), error_rate=_rate(one)) for one in found.surfaces],
            providers=[
                ProviderQualityView(**values(one), error_rate=_rate(one)) for one in found.providers
            ],
            spenders=[SpenderView(**values(one)) for one in found.spenders],
        )


def _rate(calls: SurfaceQuality | ProviderQuality) -> float:
    return round((calls.failed_calls + calls.cut_calls) / calls.calls, 6)

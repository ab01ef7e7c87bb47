"""Analytics: how much a server is used, how well it answers, and who spends how much."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import msgspec

from cartrita.domain.runs import RunStatus


class AnalyticsStep(StrEnum):
    """The length of the intervals of activity: days of UTC, and weeks that begin on Mondays."""

    DAY = "day"
    WEEK = "week"


class AnalyticsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Asks for what the users of a tenant did from `since` to before `until`; of all if None.

    The `spenders` are told that spent the most, so many of them.
    """

    tenant_id: str | None
    since: datetime
    until: datetime
    step: AnalyticsStep = AnalyticsStep.DAY
    spenders: int = 100


class Activity(msgspec.Struct, frozen=True, kw_only=True):
    """Who did something in the interval that begins at `at`.

    A user is active who had a run or a call of a model; a conversation in which there was a run.
    """

    at: datetime
    active_users: int
    active_conversations: int
    runs: int


class StatusCount(msgspec.Struct, frozen=True, kw_only=True):
    """How many of the runs that were asked for have this status now."""

    status: RunStatus
    runs: int


class SurfaceQuality(msgspec.Struct, frozen=True, kw_only=True):
    """How the calls that came in by one surface ended."""

    surface: str
    calls: int
    failed_calls: int
    cut_calls: int
    cancelled_calls: int


class ProviderQuality(msgspec.Struct, frozen=True, kw_only=True):
    """How the calls of one provider ended, and what they cost.

    The percentiles are those of `UsageInterval`.
    """

    provider: str
    calls: int
    failed_calls: int
    cut_calls: int
    cancelled_calls: int
    unpriced_calls: int
    cost: Decimal
    seconds_p50: float | None
    seconds_p95: float | None
    first_token_seconds_p50: float | None
    first_token_seconds_p95: float | None


class Spender(msgspec.Struct, frozen=True, kw_only=True):
    """What the calls of one owner used; `cost` leaves out the `unpriced_calls`."""

    owner_id: str
    calls: int
    unpriced_calls: int
    input_tokens: int
    output_tokens: int
    cost: Decimal


class Analytics(msgspec.Struct, frozen=True, kw_only=True):
    """What happened in a time: activity by interval, all else for the whole of it.

    The spenders are the dearest of all `active_users`.
    """

    active_users: int
    active_conversations: int
    activity: tuple[Activity, ...]
    runs: tuple[StatusCount, ...]
    surfaces: tuple[SurfaceQuality, ...]
    providers: tuple[ProviderQuality, ...]
    spenders: tuple[Spender, ...]

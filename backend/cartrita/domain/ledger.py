"""Entries of the usage ledger: what each call used, and what it cost."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

import msgspec

from cartrita.domain.ids import ConversationId, RunId
from cartrita.domain.run_parts import RunPart
from cartrita.domain.usage import Usage


class CallOutcome(StrEnum):
    """How a model call ended. A cut one had sent a part of its answer."""

    COMPLETED = "completed"
    FAILED = "failed"
    CUT = "cut"
    CANCELLED = "cancelled"


class ServiceUse(msgspec.Struct, frozen=True):
    """What a service did that is counted in neither tokens nor requests."""

    audio_seconds: float = 0.0
    characters: int = 0

    def __add__(self, other: "ServiceUse") -> "ServiceUse":
        return ServiceUse(
            self.audio_seconds + other.audio_seconds, self.characters + other.characters
        )

    def within(self, other: "ServiceUse") -> bool:
        """Whether it is no more than another."""
        return self.audio_seconds <= other.audio_seconds and self.characters <= other.characters

    def part(self, parts: int) -> "ServiceUse":
        """One of so many equal parts of it."""
        return ServiceUse(self.audio_seconds / parts, self.characters // parts)


NO_USE: Final = ServiceUse()


class LedgerEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One model call of one deployment; a continued answer has an entry for each of its calls.

    A request of a service that serves no models has what was asked of it for its `model`. `surface`
    is where the request came in, `tools` for what tools ask; `cost` is in US dollars, None where
    the price is not known. `seconds` is the duration of the call, `first_token_seconds` the time to
    its first output. `audio_seconds` were transcribed, `characters` spoken. A call of a run has its
    conversation, and the `agent` that it was made for.
    """

    owner_id: str
    key_id: str | None
    run_id: RunId | None
    surface: str
    provider: str
    model: str
    usage: Usage
    cost: Decimal | None
    outcome: CallOutcome
    seconds: float
    first_token_seconds: float | None
    at: datetime
    audio_seconds: float = 0.0
    characters: int = 0
    conversation_id: ConversationId | None = None
    agent: str | None = None


class ToolSpending(msgspec.Struct, frozen=True):
    """The part of a run whose tool asks for something; each cost is told, in US dollars."""

    part: RunPart
    tell: Callable[[Decimal], None]


class UsageGrouping(StrEnum):
    """What a report of usage adds up by: days are those of UTC."""

    MODEL = "model"
    PROVIDER = "provider"
    SURFACE = "surface"
    DAY = "day"
    AGENT = "agent"
    KEY = "key"
    CONVERSATION = "conversation"


class UsageFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which calls a report is of, by what callers know these by; None is all.

    A model may be named with its provider.
    """

    provider: str | None = None
    model: str | None = None
    surface: str | None = None
    agent: str | None = None
    key_id: str | None = None
    conversation_id: str | None = None


ALL_USAGE: Final = UsageFilter()


class UsageQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Asks for an owner's calls from `since` to before `until`, added up by `grouping`."""

    owner_id: str
    since: datetime
    until: datetime
    grouping: UsageGrouping
    which: UsageFilter = ALL_USAGE


class TimelineStep(StrEnum):
    """The length of a timeline's intervals, which begin with the hours and days of UTC."""

    HOUR = "hour"
    DAY = "day"


class UsageGroup(msgspec.Struct, frozen=True, kw_only=True):
    """What calls have in common: `id` is what callers know it by, `name` how people call it.

    The calls of no agent, key or conversation have no id, nor have those that a timeline adds up
    as others.
    """

    name: str
    id: str | None


NONE: Final = UsageGroup(name="none", id=None)
OTHERS: Final = UsageGroup(name="others", id=None)


class UsageInterval(msgspec.Struct, frozen=True, kw_only=True):
    """What the calls of one group used in the interval that begins at `at`.

    Percentiles are in seconds: of whole calls that were completed, and of the time to their first
    output where it was measured; None where nothing was. `cost` leaves out the `unpriced_calls`.
    """

    at: datetime
    group: UsageGroup
    calls: int
    failed_calls: int
    unpriced_calls: int
    input_tokens: int
    output_tokens: int
    audio_seconds: float
    characters: int
    cost: Decimal
    seconds_p50: float | None
    seconds_p95: float | None
    first_token_seconds_p50: float | None
    first_token_seconds_p95: float | None


class UsageTotal(msgspec.Struct, frozen=True, kw_only=True):
    """The calls of one group: a model's is called `provider/model`, a day's by its date.

    `cost` is in US dollars and leaves out the `unpriced_calls`, whose price is not known.
    """

    group: UsageGroup
    calls: int
    usage: Usage
    cost: Decimal
    unpriced_calls: int
    audio_seconds: float = 0.0
    characters: int = 0


class UsageTotals(msgspec.Struct, frozen=True, kw_only=True):
    """The dearest of all `groups`, and the sums of all of them."""

    items: tuple[UsageTotal, ...] = ()
    groups: int = 0
    calls: int = 0
    unpriced_calls: int = 0
    cost: Decimal = Decimal(0)

"""Reports of what model calls used and cost."""

from datetime import datetime, timedelta
from typing import Final

from cartrita.domain.errors import InvalidInput
from cartrita.domain.ledger import (
    ALL_USAGE,
    TimelineStep,
    UsageFilter,
    UsageGrouping,
    UsageInterval,
    UsageQuery,
    UsageTotals,
)
from cartrita.domain.ports.ledger import UsageReader
from cartrita.domain.principals import Principal
from cartrita.kit import clock

DEFAULT_PERIOD = timedelta(days=30)
MOST_GROUPS: Final = 1000
"""So that a report stays an answer that can be read, whoever has how many conversations."""
MOST_LINES: Final = 12
_LONGEST: Final = timedelta(days=731)
"""So that a report stays one of some seconds, however long a server has run."""
_LONGEST_TIMELINES = {TimelineStep.HOUR: timedelta(days=31), TimelineStep.DAY: _LONGEST}
"""So that a timeline stays an answer of some hundred intervals."""


class UsageReports:
    """Reports of the principal's own calls, by default those of the last 30 days.

    Calls appear a second or so after their end.
    """

    def __init__(self, ledger: UsageReader) -> None:
        self._ledger = ledger

    async def totals(
        self,
        principal: Principal,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        grouping: UsageGrouping = UsageGrouping.MODEL,
        which: UsageFilter = ALL_USAGE,
        limit: int = MOST_GROUPS,
    ) -> UsageTotals:
        """Calls from `since` to before `until`: the dearest groups of them. Raises InvalidInput."""
        query = _query(principal, since, until, grouping, which)
        if query.until - query.since > _LONGEST:
            raise InvalidInput.of("since", f"ask for at most {_LONGEST.days} days")
        return await self._ledger.totals(query, limit=limit)

    async def timeline(
        self,
        principal: Principal,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        step: TimelineStep = TimelineStep.DAY,
        grouping: UsageGrouping = UsageGrouping.PROVIDER,
        which: UsageFilter = ALL_USAGE,
    ) -> list[UsageInterval]:
        """The same calls by interval and group, the oldest first. Raises InvalidInput.

        At most `MOST_LINES` groups are told apart.
        """
        query = _query(principal, since, until, grouping, which)
        longest = _LONGEST_TIMELINES[step]
        if query.until - query.since > longest:
            raise InvalidInput.of("since", f"ask for at most {longest.days} days by {step}")
        return await self._ledger.timeline(query, step, limit=MOST_LINES)


def _query(
    principal: Principal,
    since: datetime | None,
    until: datetime | None,
    grouping: UsageGrouping,
    which: UsageFilter,
) -> UsageQuery:
    since, until = period(since, until)
    return UsageQuery(
        owner_id=principal.owner_id, since=since, until=until, grouping=grouping, which=which
    )


def period(since: datetime | None, until: datetime | None) -> tuple[datetime, datetime]:
    """From when until before when; by default the last 30 days. Raises InvalidInput."""
    until = until or clock.now() + timedelta(minutes=1)
    _require_moment("until", until)
    if since is None:
        since = until - DEFAULT_PERIOD
    else:
        _require_moment("since", since)
    if since >= until:
        raise InvalidInput.of("since", "choose a moment before `until`")
    return since, until


def _require_moment(name: str, moment: datetime) -> None:
    if moment.tzinfo is None:
        raise InvalidInput.of(name, "give it with a time zone, such as ...Z")
    if not 2000 <= moment.year <= 9000:
        raise InvalidInput.of(name, "give a moment from the year 2000 to the year 9000")

"""Reports of what model calls used and cost."""

from datetime import datetime, timedelta

from cartrita.domain.errors import InvalidInput
from cartrita.domain.ledger import TimelineStep, UsageGrouping, UsageInterval, UsageTotal
from cartrita.domain.ports.ledger import UsageReader
from cartrita.domain.principals import Principal
from cartrita.kit import clock

DEFAULT_PERIOD = timedelta(days=30)
_LONGEST = {TimelineStep.HOUR: timedelta(days=31), TimelineStep.DAY: timedelta(days=731)}
"""So that a timeline stays an answer of some hundred intervals."""


class UsageReports:
    """Reports of the principal's own calls."""

    def __init__(self, ledger: UsageReader) -> None:
        self._ledger = ledger

    async def totals(
        self,
        principal: Principal,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        grouping: UsageGrouping = UsageGrouping.MODEL,
    ) -> list[UsageTotal]:
        """Calls from `since` to before `until`, by default the last 30 days. Raises InvalidInput.

        Calls appear a second or so after their end.
        """
        period = _period(since, until)
        return await self._ledger.totals(principal.owner_id, *period, grouping)

    async def timeline(
        self,
        principal: Principal,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        step: TimelineStep = TimelineStep.DAY,
    ) -> list[UsageInterval]:
        """The same calls by interval and provider, the oldest first. Raises InvalidInput."""
        start, end = _period(since, until)
        if end - start > _LONGEST[step]:
            raise InvalidInput.of("since", f"ask for at most {_LONGEST[step].days} days by {step}")
        return await self._ledger.timeline(principal.owner_id, start, end, step)


def _period(since: datetime | None, until: datetime | None) -> tuple[datetime, datetime]:
    until = until or clock.now() + timedelta(minutes=1)
    since = since or until - DEFAULT_PERIOD
    if since.tzinfo is None or until.tzinfo is None:
        raise InvalidInput.of("since", "give both moments with a time zone, such as ...Z")
    if since >= until:
        raise InvalidInput.of("since", "choose a moment before `until`")
    return since, until

"""Reports of what model calls used and cost."""

from datetime import datetime, timedelta

from cartrita.domain.errors import InvalidInput
from cartrita.domain.ledger import UsageGrouping, UsageTotal
from cartrita.domain.ports.ledger import UsageReader
from cartrita.domain.principals import Principal
from cartrita.kit import clock

DEFAULT_PERIOD = timedelta(days=30)


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
        until = until or clock.now() + timedelta(minutes=1)
        since = since or until - DEFAULT_PERIOD
        if since.tzinfo is None or until.tzinfo is None:
            raise InvalidInput.of("since", "give both moments with a time zone, such as ...Z")
        if since >= until:
            raise InvalidInput.of("since", "choose a moment before `until`")
        return await self._ledger.totals(principal.owner_id, since, until, grouping)

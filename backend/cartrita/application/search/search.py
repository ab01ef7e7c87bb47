"""Full-text search in the conversations, messages and files of the caller."""

from datetime import datetime, timedelta
from enum import StrEnum

from cartrita.domain.errors import InvalidInput
from cartrita.domain.ports.search import SearchIndex
from cartrita.domain.principals import Principal
from cartrita.domain.search import SearchKind, SearchQuery, SearchResults, SortBy
from cartrita.kit import clock

LIMIT_MAX = 100
OFFSET_MAX = 10_000
ALL_KINDS = frozenset(SearchKind)


class DateRange(StrEnum):
    """How far back to search; `today` starts at midnight UTC."""

    ALL = "all"
    TODAY = "today"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


_TIME_SPANS = {
    DateRange.WEEK: timedelta(days=7),
    DateRange.MONTH: timedelta(days=30),
    DateRange.YEAR: timedelta(days=365),
}


class Search:
    """Searches the data of the principal only. No search text is an error."""

    def __init__(self, index: SearchIndex) -> None:
        self._index = index

    async def find(
        self,
        principal: Principal,
        text: str,
        *,
        kinds: frozenset[SearchKind] = ALL_KINDS,
        date_range: DateRange = DateRange.ALL,
        since: datetime | None = None,
        sort_by: SortBy = SortBy.RELEVANCE,
        limit: int = 20,
        offset: int = 0,
    ) -> SearchResults:
        """One page of results; `since` goes before `date_range`.

        Raises InvalidInput for a limit or offset out of range.
        """
        if not 1 <= limit <= LIMIT_MAX:
            raise InvalidInput.of("limit", f"choose a number from 1 to {LIMIT_MAX}")
        if not 0 <= offset <= OFFSET_MAX:
            raise InvalidInput.of("offset", f"choose a number from 0 to {OFFSET_MAX}")
        return await self._index.search(
            SearchQuery(
                owner_id=principal.owner_id,
                text=text,
                kinds=kinds,
                since=since or _start_of(date_range, clock.now()),
                sort_by=sort_by,
                limit=limit,
                offset=offset,
            )
        )


def _start_of(date_range: DateRange, now: datetime) -> datetime | None:
    if date_range is DateRange.ALL:
        return None
    if date_range is DateRange.TODAY:
        return now.replace(hour=0, minute=0, second=0, microsecond=0)
    return now - _TIME_SPANS[date_range]

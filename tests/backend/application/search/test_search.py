"""Search: what is asked of the index, for whom, and within which bounds."""

from datetime import UTC, datetime, timedelta

import pytest

from cartrita.application.search import search as module
from cartrita.application.search.search import ALL_KINDS, LIMIT_MAX, OFFSET_MAX, DateRange, Search
from cartrita.domain.errors import InvalidInput
from cartrita.domain.principals import Principal
from cartrita.domain.search import SearchKind, SearchQuery, SearchResults, SortBy

ME = Principal("ann", "key")
NOW = datetime(2026, 11, 21, 15, 30, 12, 5, tzinfo=UTC)


class Recorder:
    """An index that finds nothing and remembers what it was asked."""

    def __init__(self) -> None:
        self.queries: list[SearchQuery] = []

    async def search(self, query: SearchQuery) -> SearchResults:
        self.queries.append(query)
        return SearchResults((), 0)


@pytest.fixture
def index() -> Recorder:
    return Recorder()


@pytest.fixture(autouse=True)
def frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.clock, "now", lambda: NOW)


async def test_the_caller_searches_what_is_its_own(index: Recorder) -> None:
    assert await Search(index).find(ME, "' words") == SearchResults((), 0)
    [asked] = index.queries
    assert asked == SearchQuery(owner_id="ann", text="' words", kinds=ALL_KINDS)
    assert frozenset(SearchKind) == ALL_KINDS


async def test_what_was_chosen_is_asked(index: Recorder) -> None:
    kinds = frozenset({SearchKind.MESSAGE})
    await Search(index).find(ME, "x", kinds=kinds, sort_by=SortBy.TITLE, limit=7, offset=14)
    [asked] = index.queries
    assert (asked.kinds, asked.sort_by, asked.limit, asked.offset) == (kinds, SortBy.TITLE, 7, 14)


@pytest.mark.parametrize(
    ("date_range", "since"),
    [
        (DateRange.ALL, None),
        (DateRange.TODAY, datetime(2026, 11, 21, tzinfo=UTC)),
        (DateRange.WEEK, NOW - timedelta(days=7)),
        (DateRange.MONTH, NOW - timedelta(days=30)),
        (DateRange.YEAR, NOW - timedelta(days=365)),
    ],
)
async def test_how_far_back(index: Recorder, date_range: DateRange, since: datetime | None) -> None:
    await Search(index).find(ME, "x", date_range=date_range)
    assert index.queries[0].since == since


@pytest.mark.parametrize(
    ("field", "value"),
    [("limit", 0), ("limit", LIMIT_MAX + 1), ("offset", -1), ("offset", OFFSET_MAX + 1)],
)
async def test_bounds(index: Recorder, field: str, value: int) -> None:
    bounds = {"limit": 20, "offset": 0, field: value}
    with pytest.raises(InvalidInput) as refusal:
        await Search(index).find(ME, "x", limit=bounds["limit"], offset=bounds["offset"])
    assert list(refusal.value.fields) == [field]
    assert index.queries == []

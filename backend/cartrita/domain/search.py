"""Full-text search: queries and results."""

from datetime import datetime
from enum import StrEnum

import msgspec

from cartrita.domain.json import JsonObject


class SearchKind(StrEnum):
    """The kinds of things that a search can find."""

    CONVERSATION = "conversation"
    MESSAGE = "message"
    FILE = "file"
    AGENT = "agent"


class SortBy(StrEnum):
    """The order of search results."""

    RELEVANCE = "relevance"
    DATE = "date"
    TITLE = "title"


class SearchQuery(msgspec.Struct, frozen=True, kw_only=True):
    """One search over an owner's data.

    `text` is plain words: it has no operators and no syntax errors.
    """

    owner_id: str
    text: str
    kinds: frozenset[SearchKind]
    since: datetime | None = None
    sort_by: SortBy = SortBy.RELEVANCE
    limit: int = 20
    offset: int = 0


class SearchHit(msgspec.Struct, frozen=True, kw_only=True):
    """One search result; `snippet` is plain text around the matching words.

    `conversation_id` is the one by which callers know the conversation.
    """

    kind: SearchKind
    id: str
    conversation_id: str | None
    title: str
    snippet: str
    timestamp: datetime
    score: float
    metadata: JsonObject = {}


class SearchResults(msgspec.Struct, frozen=True):
    """One page of results, and the total number of matches."""

    hits: tuple[SearchHit, ...]
    total: int

"""Full-text search: queries and results."""

from datetime import datetime
from enum import StrEnum
from urllib.parse import quote

import msgspec

from cartrita.domain.ids import ConversationId
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

    `text` is plain words: it has no operators and no syntax errors. The conversation `without` is
    left out.
    """

    owner_id: str
    text: str
    kinds: frozenset[SearchKind]
    since: datetime | None = None
    without: ConversationId | None = None
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


class QuotablePassage(msgspec.Struct, frozen=True):
    """A part of a message or a file; `title` says where it stands, `url` where that is read.

    `file` is the name of the file, if it is in one.
    """

    title: str
    text: str
    url: str | None = None
    file: str | None = None


class SearchResults(msgspec.Struct, frozen=True):
    """One page of results, and the total number of matches."""

    hits: tuple[SearchHit, ...]
    total: int


def url_of(hit: SearchHit) -> str:
    """Where the native API lets one read what was found."""
    if hit.kind is SearchKind.AGENT:
        return f"/api/agents/{hit.id}"
    if hit.kind is SearchKind.FILE:
        return f"/api/files/{hit.id}"
    if hit.conversation_id is None or hit.kind is SearchKind.CONVERSATION:
        return f"/api/conversations/{quote(hit.id, safe='')}"
    conversation = quote(hit.conversation_id, safe="")
    return f"/api/conversations/{conversation}/messages/{hit.id}"

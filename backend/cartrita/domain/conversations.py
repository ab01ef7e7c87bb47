"""Conversations, and what can be found in them."""

from datetime import datetime
from enum import StrEnum

import msgspec

from cartrita.domain.json import JsonObject
from cartrita.kit.ids import ConversationId, MessageId


class Conversation(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation without its messages; `head_message_id` ends its current branch."""

    id: ConversationId
    owner_id: str
    title: str
    created_at: datetime
    updated_at: datetime
    external_id: str | None = None
    head_message_id: MessageId | None = None
    archived: bool = False
    pinned: bool = False
    tags: tuple[str, ...] = ()
    metadata: JsonObject = {}


class ConversationChange(msgspec.Struct, frozen=True, kw_only=True):
    """What to change; None leaves a field as it is."""

    title: str | None = None
    archived: bool | None = None
    pinned: bool | None = None
    tags: tuple[str, ...] | None = None
    metadata: JsonObject | None = None


class ConversationFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which conversations to list; None does not filter."""

    archived: bool | None = False
    pinned: bool | None = None
    tag: str | None = None


class FoundIn(StrEnum):
    """What a search result is."""

    CONVERSATION = "conversation"
    MESSAGE = "message"
    FILE = "file"
    AGENT = "agent"


class SortBy(StrEnum):
    RELEVANCE = "relevance"
    DATE = "date"
    TITLE = "title"


class SearchQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Words as a person types them: nothing in them is an operator that could fail."""

    owner_id: str
    text: str
    kinds: frozenset[FoundIn]
    since: datetime | None = None
    sort_by: SortBy = SortBy.RELEVANCE
    limit: int = 20
    offset: int = 0


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """One search result; `snippet` is plain text with the passage around the words found."""

    kind: FoundIn
    id: str
    conversation_id: ConversationId | None
    title: str
    snippet: str
    timestamp: datetime
    score: float
    metadata: JsonObject = {}


class Findings(msgspec.Struct, frozen=True):
    """One page of results and how many there are in all."""

    results: tuple[Found, ...]
    total: int

"""Ports of full-text search."""

from collections.abc import Sequence
from typing import Protocol

from cartrita.domain.search import QuotablePassage, SearchQuery, SearchResults


class PassageSearch(Protocol):
    """Finds passages in the messages and files of an owner."""

    async def passages(
        self, owner_id: str, words: str, limit: int, files: Sequence[str] = ()
    ) -> list[QuotablePassage]:
        """The best; those of the files with these names come first, and are never missing."""
        ...


class MessagePassages(Protocol):
    """Finds passages in the messages of an owner, except the answers of the offline provider.

    A stored question finds itself.
    """

    async def passages(self, owner_id: str, words: str, limit: int) -> list[str]: ...


class SearchIndex(Protocol):
    """Full-text search in an owner's conversations, messages and files. No query text raises."""

    async def search(self, query: SearchQuery) -> SearchResults: ...

"""Makes of words a condition that the database can search by."""

from sqlalchemy import ColumnElement, Text, cast, select
from sqlalchemy.exc import DBAPIError

from cartrita.adapters.persistence import search_terms
from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.search_terms import FullTextQuery, SubstringQuery, TextQuery


class TextQueries:
    """Full text where the dictionary knows at least one of the words, else substrings.

    The words are as `search_terms.normalize` leaves them, and not empty.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def with_all(self, words: str) -> TextQuery:
        """Finds texts with all of the words; the last may be a prefix."""
        return await self._usable(words, search_terms.match_all(words), every=True)

    async def with_whole(self, words: str) -> TextQuery:
        """Finds texts with all of the words, none of which is a prefix."""
        return await self._usable(words, search_terms.match_whole(words), every=True)

    async def with_any(self, words: str) -> TextQuery:
        """Finds texts with any of the words."""
        return await self._usable(words, search_terms.match_any(words), every=False)

    async def parsed(self, query: ColumnElement[str]) -> str:
        """A query as PostgreSQL writes it; empty where the dictionary knows none of its words.

        Also where full text fails, as on forty minus signs in a row.
        """
        try:
            async with self._database.use() as connection:
                return str(await connection.scalar(select(cast(query, Text))))
        except DBAPIError:
            return ""

    async def _usable(self, words: str, query: ColumnElement[str], *, every: bool) -> TextQuery:
        foreign = search_terms.has_non_latin_letters(words)
        text = "" if foreign else await self.parsed(query)
        return FullTextQuery(text) if text else SubstringQuery(words.split(), every=every)

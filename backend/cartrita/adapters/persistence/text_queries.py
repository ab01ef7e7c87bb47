"""Makes of words a condition that the database can search by."""

from sqlalchemy import Text, cast, func, select
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

    async def parsed(self, words: str) -> str:
        """What `with_all` finds, but for what must not be there, as PostgreSQL writes the query."""
        wanted = search_terms.match_all(search_terms.without_excluded(words)).query
        async with self._database.use() as connection:
            return str(await connection.scalar(select(cast(wanted, Text))))

    async def with_whole(self, words: str) -> TextQuery:
        """Finds texts with all of the words, none of which is a prefix."""
        return await self._usable(words, search_terms.match_whole(words), every=True)

    async def with_any(self, words: str) -> TextQuery:
        """Finds texts with any of the words."""
        return await self._usable(words, search_terms.match_any(words), every=False)

    async def _usable(self, words: str, terms: FullTextQuery, *, every: bool) -> TextQuery:
        usable = not search_terms.has_non_latin_letters(words) and await self._has_terms(terms)
        return terms if usable else SubstringQuery(words.split(), every=every)

    async def _has_terms(self, terms: FullTextQuery) -> bool:
        """Asked first, since full text fails on some inputs, e.g. forty minus signs in a row."""
        try:
            async with self._database.use() as connection:
                nodes = await connection.execute(select(func.numnode(terms.query)))
                return nodes.scalar_one() > 0
        except DBAPIError:
            return False

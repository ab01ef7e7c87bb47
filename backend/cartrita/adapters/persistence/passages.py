"""Passages of files, found by their words: implements PassageIndex."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    FromClause,
    Integer,
    Row,
    Select,
    and_,
    cast,
    func,
    select,
    true,
)

from cartrita.adapters.persistence import passage_words, search_terms
from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.passage_words import QueryWord, Shape
from cartrita.adapters.persistence.present_files import LIMIT, OWNER, of_a_file, present, values_of
from cartrita.adapters.persistence.search_terms import SubstringQuery
from cartrita.adapters.persistence.tables.files import (
    attachments,
    file_contents,
    file_pages,
    passages,
)
from cartrita.adapters.persistence.text_queries import TextQueries
from cartrita.domain.files import ContentId, FileId, FilePage, StoredFile
from cartrita.domain.passages import FoundPassage, Passage, PassageQuery

_a, _f, _p, _s = attachments.c, file_contents.c, file_pages.c, passages.c
_SHAPES = 256
_ENOUGH = 8
"""Passages found, for which none are looked for that match less."""


class PassageTable:
    """Passages of the files that an owner has now."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._text_queries = TextQueries(database)

    async def with_words(self, query: PassageQuery) -> list[FoundPassage]:
        """See PassageIndex."""
        words = search_terms.normalize(query.text)
        if not words:
            return []
        if search_terms.has_non_latin_letters(words):
            return await self._with_substrings(query, words)
        asked = search_terms.without_excluded(words)
        counted = passage_words.counted(one_file=query.content_id is not None)
        values = passage_words.counted_values(query, asked)
        async with self._database.transaction() as connection:
            if query.content_id is None:
                await connection.execute(passage_words.SAMPLED)
            rows = (await connection.execute(counted, values)).all()
        if not rows:
            return await self._with_substrings(query, words)
        weighed = passage_words.weighed(rows)
        if search_terms.has_operators(words):
            exact = await self._text_queries.with_whole(words)
            found = await self._ranked(query, weighed, exact.matches(_s.search, _s.text))
            if found:
                return found
        return await self._ranked(query, weighed)

    async def excerpt(
        self, file: StoredFile, first: int, last: int, start: int, characters: int
    ) -> tuple[list[FilePage], int]:
        """See PassageIndex."""
        length = func.length(_p.text)
        these = (
            select(
                _p.number,
                _p.text,
                length.label("length"),
                (func.sum(length).over(order_by=_p.number) - length).label("before"),
                func.sum(length).over().label("total"),
            )
            .where(
                _p.content_id == file.content_id,
                _p.owner_id == file.owner_id,
                _p.number.between(first, last),
            )
            .subquery()
        ).c
        skipped = cast(func.greatest(start - these.before, 0), Integer)
        until = cast(func.least(start + characters - these.before, these.length), Integer)
        text = func.substr(these.text, skipped + 1, func.greatest(until - skipped, 0))
        query = select(these.number, text.label("text"), these.total).order_by(these.number)
        async with self._database.use() as connection:
            rows = (await connection.execute(query)).all()
        pages = [FilePage(row.number, row.text) for row in rows if row.text]
        return pages, int(rows[0].total) if rows else 0

    async def _ranked(
        self,
        query: PassageQuery,
        words: Sequence[QueryWord],
        filtered: ColumnElement[bool] | None = None,
    ) -> list[FoundPassage]:
        """The best of those with rare words or all common ones; of less, while there are few."""
        found: list[FoundPassage] = []
        for compared in passage_words.compared(words):
            shape = passage_words.shape(query, words, compared)
            values = passage_words.ranking_values(query, words, compared)
            if filtered is None:
                best = _best_with_words(shape)
            else:
                best = best_passages(passage_words.ranking(shape, filtered).cte("best"))
            found = await self._best(best, values)
            if len(found) >= min(_ENOUGH, query.limit):
                break
        return found

    async def _with_substrings(self, query: PassageQuery, words: str) -> list[FoundPassage]:
        text_query = SubstringQuery(words.split(), every=False)
        score = text_query.score(_s.search, _s.text).label("score")
        ranking = (
            select(_s.content_id, _s.page, _s.number, score)
            .where(_s.owner_id == OWNER, text_query.matches(_s.search, _s.text))
            .where(of_a_file(_s.content_id, one=query.content_id is not None))
            .order_by(score.desc(), _s.content_id, _s.page, _s.number)
            .limit(LIMIT)
        )
        return await self._best(best_passages(ranking.cte("best")), values_of(query))

    async def _best(
        self, best: Select[*tuple[Any, ...]], values: dict[str, Any]
    ) -> list[FoundPassage]:
        async with self._database.use() as connection:
            return [to_passage(row) for row in await connection.execute(best, values)]


@lru_cache(maxsize=_SHAPES)
def _best_with_words(shape: Shape) -> Select[*tuple[Any, ...]]:
    """Made once of each shape: making it takes longer than a search may."""
    return best_passages(passage_words.ranking(shape, true()).cte("best"))


def _with_files(found: CTE) -> Select[*tuple[Any, ...]]:
    """What was found with its file; of several files of the same bytes, the latest."""
    file = (
        select(_a.id, _a.name)
        .where(_a.content_id == found.c.content_id, _a.owner_id == OWNER, present())
        .order_by(_a.created_at.desc(), _a.id.desc())
        .limit(1)
        .lateral("file")
    )
    return (
        select(*found.c, file.c.id.label("file_id"), file.c.name, _f.pages)
        .select_from(found.join(file, true()).join(file_contents, _f.id == found.c.content_id))
        .order_by(found.c.score.desc(), found.c.content_id, found.c.page, found.c.number)
    )


def best_passages(best: FromClause) -> Select[*tuple[Any, ...]]:
    """The passages at these places, with their scores and files, the best first."""
    same = and_(*(_s[name] == best.c[name] for name in ("content_id", "page", "number")))
    found = (
        select(_s.content_id, _s.page, _s.number, _s.start, _s.text, best.c.score)
        .join(best, same)
        .where(_s.owner_id == OWNER)
        .cte("found")
    )
    return _with_files(found)


def to_passage(row: Row[*tuple[Any, ...]]) -> FoundPassage:
    """A passage that was found, from a row of it and its file."""
    return FoundPassage(
        file_id=FileId(row.file_id),
        content_id=ContentId(row.content_id),
        name=row.name,
        pages=row.pages,
        passage=Passage(row.page, row.number, row.start, row.text),
        score=row.score,
    )

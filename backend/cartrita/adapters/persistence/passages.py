"""Passages of files, found by their words: implements PassageIndex."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CTE,
    ColumnElement,
    Integer,
    Row,
    Select,
    and_,
    cast,
    func,
    literal,
    select,
    true,
    tuple_,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from cartrita.adapters.persistence import search_terms
from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.file_hits import present
from cartrita.adapters.persistence.file_tables import (
    attachments,
    file_contents,
    file_pages,
    passages,
)
from cartrita.adapters.persistence.search_terms import TextQuery
from cartrita.adapters.persistence.text_queries import TextQueries
from cartrita.domain.attachments import AttachmentId, ContentId, FilePage, StoredFile
from cartrita.domain.passages import FoundPassage, Passage, PassageQuery

_a, _f, _p, _s = attachments.c, file_contents.c, file_pages.c, passages.c


class PassageTable:
    """Passages of the files that an owner has now."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._text_queries = TextQueries(database)

    async def with_all_words(self, query: PassageQuery) -> list[FoundPassage]:
        """See PassageIndex."""
        words = search_terms.normalize(query.text)
        return await self._best(query, await self._text_queries.with_whole(words)) if words else []

    async def with_any_word(self, query: PassageQuery) -> list[FoundPassage]:
        """See PassageIndex."""
        words = search_terms.normalize(query.text)
        return await self._best(query, await self._text_queries.with_most(words)) if words else []

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

    async def _best(self, query: PassageQuery, text_query: TextQuery) -> list[FoundPassage]:
        score = text_query.score(_s.search, _s.text).label("score")
        found = (
            select(_s.content_id, _s.page, _s.number, _s.start, _s.text, score)
            .where(_s.owner_id == query.owner_id, text_query.matches(_s.search, _s.text))
            .where(of_a_file(query))
            .order_by(score.desc(), _s.content_id, _s.page, _s.number)
            .limit(query.limit)
            .cte("found")
        )
        async with self._database.use() as connection:
            rows = await connection.execute(_with_files(query.owner_id, found))
            return [to_passage(row) for row in rows]


def of_a_file(query: PassageQuery) -> ColumnElement[bool]:
    """It is in a file that the owner still has."""
    file = select(_a.id).where(_a.content_id == _s.content_id, present())
    if query.content_id is None:
        return file.exists()
    return and_(_s.content_id == query.content_id, file.exists())


def _with_files(owner_id: str, found: CTE) -> Select[*tuple[Any, ...]]:
    """What was found with its file; of several files of the same bytes, the latest."""
    file = (
        select(_a.id, _a.name)
        .where(_a.content_id == found.c.content_id, _a.owner_id == owner_id, present())
        .order_by(_a.created_at.desc(), _a.id.desc())
        .limit(1)
        .lateral("file")
    )
    return (
        select(*found.c, file.c.id.label("file_id"), file.c.name, _f.pages)
        .select_from(found.join(file, true()).join(file_contents, _f.id == found.c.content_id))
        .order_by(found.c.score.desc(), found.c.content_id, found.c.page, found.c.number)
    )


async def found_in_order(
    connection: AsyncConnection, owner_id: str, places: Sequence[tuple[UUID, int, int]]
) -> list[FoundPassage]:
    """The passages at these places, in their order."""
    if not places:
        return []
    key = tuple_(_s.content_id, _s.page, _s.number)
    found = (
        select(_s.content_id, _s.page, _s.number, _s.start, _s.text, literal(0.0).label("score"))
        .where(_s.owner_id == owner_id, key.in_(places))
        .cte("found")
    )
    rows = await connection.execute(_with_files(owner_id, found))
    passages = {each.place: each for each in map(to_passage, rows)}
    return [passages[(ContentId(a), b, c)] for a, b, c in places if (a, b, c) in passages]


def to_passage(row: Row[*tuple[Any, ...]]) -> FoundPassage:
    """A passage that was found, from a row of it and its file."""
    return FoundPassage(
        file_id=AttachmentId(row.file_id),
        content_id=ContentId(row.content_id),
        name=row.name,
        pages=row.pages,
        passage=Passage(row.page, row.number, row.start, row.text),
    )

"""Embeddings of passages, compared one by one: implements PassageVectors.

Needs no extension of the database. Where an owner has more passages than are compared in a moment,
those are compared that hold a word of the query.
"""

import heapq
import sys
from array import array
from collections.abc import Sequence
from operator import mul
from uuid import UUID

from sqlalchemy import Update, and_, func, literal, or_, select, tuple_, update

from cartrita.adapters.persistence import search_terms
from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.file_tables import passages
from cartrita.adapters.persistence.passages import found_in_order, of_a_file
from cartrita.adapters.persistence.text_queries import TextQueries
from cartrita.domain.attachments import ContentId
from cartrita.domain.embeddings import EmbeddedPassage, PassageKey, UnembeddedPassage, Vector
from cartrita.domain.passages import FoundPassage, PassageQuery
from cartrita.kit.long_work import LARGE, run_long

_s = passages.c
_CLAIM_S = 300.0
_COMPARED = 5_000
_HEADER = 5
"""The numbers of four bytes before the elements of an array that the database sends in binary."""

_Place = tuple[UUID, int, int]


class PassageVectorTable:
    """Vectors of one model lie in one space: those of others are not compared."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._text_queries = TextQueries(database)

    async def claim(self, model: str, limit: int) -> list[UnembeddedPassage]:
        """See PassageVectors."""
        age = func.now() - _s.claimed_at
        free = and_(
            or_(  # each of which has an index
                _s.embedding_model.is_(None),
                _s.embedding_model < model,
                _s.embedding_model > model,
            ),
            or_(
                _s.claimed_at.is_(None),
                age > func.make_interval(0, 0, 0, 0, 0, 0, literal(_CLAIM_S)),
            ),
        )
        owner = select(_s.owner_id).where(free).limit(1).scalar_subquery()
        key = tuple_(_s.content_id, _s.page, _s.number)
        some = (
            select(_s.content_id, _s.page, _s.number)
            .where(free, _s.owner_id == owner)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        statement = (
            update(passages)
            .where(key.in_(some))
            .values(claimed_at=func.now())
            .returning(_s.content_id, _s.page, _s.number, _s.owner_id, _s.text)
        )
        async with self._database.use() as connection:
            rows = (await connection.execute(statement)).all()
        return [
            UnembeddedPassage(
                PassageKey(ContentId(row.content_id), row.page, row.number), row.owner_id, row.text
            )
            for row in rows
        ]

    async def store(self, model: str, passages: Sequence[EmbeddedPassage]) -> None:
        """See PassageVectors."""
        async with self._database.transaction() as connection:
            for one in passages:
                await connection.execute(_stored(model, one))

    async def nearest(self, query: PassageQuery, model: str, vector: Vector) -> list[FoundPassage]:
        """See PassageVectors."""
        rows = await self._vectors(query, model, None)
        if len(rows) > _COMPARED:
            rows = await self._vectors(query, model, search_terms.normalize(query.text))
        size = len(rows) * len(vector) * vector.itemsize
        best = await run_long(max(size, LARGE), _closest, rows, vector, query.limit)
        async with self._database.use() as connection:
            return await found_in_order(connection, query.owner_id, best)

    async def _vectors(
        self, query: PassageQuery, model: str, words: str | None
    ) -> list[tuple[_Place, bytes]]:
        """Vectors as the database sends them; one more than are compared if there are more."""
        found = (
            select(_s.content_id, _s.page, _s.number, func.array_send(_s.embedding).label("vector"))
            .where(_s.owner_id == query.owner_id, _s.embedding_model == model)
            .where(_s.embedding.is_not(None), of_a_file(query))
        )
        if words:
            text_query = await self._text_queries.with_most(words)
            score = text_query.score(_s.search, _s.text)
            found = found.where(text_query.matches(_s.search, _s.text)).order_by(score.desc())
        async with self._database.use() as connection:
            rows = await connection.execute(found.limit(_COMPARED + (words is None)))
            return [((row.content_id, row.page, row.number), row.vector) for row in rows]


def _stored(model: str, one: EmbeddedPassage) -> Update:
    vector = None if one.vector is None else one.vector.tolist()
    return (
        update(passages)
        .where(
            _s.content_id == one.key.content_id,
            _s.page == one.key.page,
            _s.number == one.key.number,
        )
        .values(embedding=vector, embedding_model=model, claimed_at=None)
    )


def _closest(rows: Sequence[tuple[_Place, bytes]], vector: Vector, limit: int) -> list[_Place]:
    """The places of the closest vectors, the closest first."""
    scored = ((_cosine(vector, _received(octets)), place) for place, octets in rows)
    return [place for _, place in heapq.nlargest(limit, scored, key=lambda one: one[0])]


def _received(octets: bytes) -> Vector:
    """The elements, each of which comes after its length; big-endian."""
    numbers: Vector = array("f", octets)
    if sys.byteorder == "little":
        numbers.byteswap()
    return numbers[_HEADER + 1 :: 2]


def _cosine(one: Vector, other: Vector) -> float:
    return sum(map(mul, one, other)) if len(one) == len(other) else -1.0

"""Embeddings of passages, of which the nearest are found: implements PassageVectors.

All of an owner's sketches, the signs of their vectors, are compared in the database, which takes a
tenth of the time that vectors take; then the vectors of those that agree most. pgvector compares
these where the database has it, and otherwise they are compared here.
"""

import heapq
import sys
from array import array
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from operator import mul
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Double,
    Float,
    Integer,
    Select,
    String,
    Subquery,
    Uuid,
    and_,
    bindparam,
    cast,
    func,
    literal,
    or_,
    select,
    text,
    true,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, BIT, Insert, insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.base import ReadOnlyColumnCollection
from sqlalchemy.types import UserDefinedType

from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.passages import best_passages, to_passage
from cartrita.adapters.persistence.present_files import (
    CONTENT,
    LIMIT,
    OWNER,
    of_a_file,
    once,
    values_of,
)
from cartrita.adapters.persistence.tables.files import (
    passage_embeddings,
    passage_vectors,
    passages,
)
from cartrita.domain.embeddings import EmbeddedPassage, PassageKey, UnembeddedPassage, Vector
from cartrita.domain.files import ContentId
from cartrita.domain.passages import FoundPassage, PassageQuery
from cartrita.kit.long_work import run_long

_e, _s, _v = passage_embeddings.c, passages.c, passage_vectors.c
_CLAIM_S = 300.0
_COMPARED = 200
"""Vectors that are compared. The ten nearest are among those with the nearest sketches."""
_HEADER = 5
"""The numbers of four bytes before the elements of an array that the database sends in binary."""

_Place = tuple[UUID, int, int]
Columns: TypeAlias = ReadOnlyColumnCollection[str, Any]


class AnyBits(UserDefinedType[str]):
    """Bits of any number: without the quotes it would be one."""

    cache_ok = True

    def get_col_spec(self, **kw: object) -> str:
        """As SQL names it."""
        return '"bit"'


class PgVector(UserDefinedType[str]):
    """The type of the extension pgvector, of any length."""

    cache_ok = True

    def get_col_spec(self, **kw: object) -> str:
        """As SQL names it."""
        return "vector"


def _kept() -> Insert:
    """In place of what another model made of it."""
    new = insert(passage_vectors).values(
        content_id=bindparam("of_content"),
        page=bindparam("of_page"),
        number=bindparam("of_number"),
        vector=bindparam("vector"),
    )
    key = ["content_id", "page", "number"]
    return new.on_conflict_do_update(index_elements=key, set_={"vector": new.excluded.vector})


_KEPT = _kept()
_TOLD = (
    update(passage_embeddings)
    .where(
        _e.content_id == bindparam("of_content"),
        _e.page == bindparam("of_page"),
        _e.number == bindparam("of_number"),
    )
    .values(
        model=bindparam("by_model"),
        claimed_at=None,
        sketch=cast(bindparam("signs", type_=String), BIT(varying=True)),
    )
)


class PassageVectorTable:
    """Vectors of one model lie in one space: those of others are not compared."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._pgvector: bool | None = None

    async def claim(
        self, model: str, limit: int, without: Collection[str] = ()
    ) -> list[UnembeddedPassage]:
        """See PassageVectors."""
        age = func.now() - _e.claimed_at
        free = and_(
            or_(_e.model.is_(None), _e.model < model, _e.model > model),  # each has an index
            or_(
                _e.claimed_at.is_(None),
                age > func.make_interval(0, 0, 0, 0, 0, 0, literal(_CLAIM_S)),
            ),
        )
        others = _e.owner_id.not_in(without) if without else true()
        owner = select(_e.owner_id).where(free, others).limit(1).scalar_subquery()
        some = (
            select(*_place(_e))
            .where(free, _e.owner_id == owner)
            .limit(limit)
            .with_for_update(skip_locked=True)
            .cte("some")
        )
        claimed = (
            update(passage_embeddings)
            .where(_same(_e, some.c), _same(_s, some.c))
            .values(claimed_at=func.now())
            .returning(*_place(_s), _s.owner_id, _s.text)
        )
        async with self._database.use() as connection:
            rows = (await connection.execute(claimed)).all()
        return [
            UnembeddedPassage(
                PassageKey(ContentId(row.content_id), row.page, row.number), row.owner_id, row.text
            )
            for row in rows
        ]

    async def store(self, model: str, passages: Sequence[EmbeddedPassage]) -> None:
        """See PassageVectors."""
        rows = [_row(model, one) for one in passages]
        keys = [(row["of_content"], row["of_page"], row["of_number"]) for row in rows]
        there = select(*_place(_e)).where(tuple_(*_place(_e)).in_(keys)).with_for_update()
        async with self._database.transaction() as connection:
            stored = {tuple(row) for row in await connection.execute(there)}
            rows = [row for row, key in zip(rows, keys, strict=True) if key in stored]
            if rows:
                await connection.execute(_TOLD, rows)
            if vectors := [row for row in rows if row["vector"] is not None]:
                await connection.execute(_KEPT, vectors)

    async def nearest(self, query: PassageQuery, model: str, vector: Vector) -> list[FoundPassage]:
        """See PassageVectors."""
        one_file = query.content_id is not None
        values = {
            **values_of(query),
            "model": model,
            "signs": _signs(vector),
            "length": len(vector),
            "compared": max(_COMPARED, query.limit),
        }
        async with self._database.use() as connection:
            if await self._has_pgvector(connection):
                values["vector"] = str(vector.tolist())
                rows = await connection.execute(_nearest(one_file=one_file), values)
                return [to_passage(row) for row in rows]
            rows = (await connection.execute(_vectors(one_file=one_file), values)).all()
        vectors = [((row.content_id, row.page, row.number), row.vector) for row in rows]
        size = sum(len(octets) for _, octets in vectors)
        scored = await run_long(size, _closest, vectors, vector, query.limit)
        async with self._database.use() as connection:
            given = {**values_of(query), **_columns(scored)}
            return [to_passage(row) for row in await connection.execute(_GIVEN, given)]

    async def _has_pgvector(self, connection: AsyncConnection) -> bool:
        if self._pgvector is None:
            installed = text("SELECT count(*) FROM pg_extension WHERE extname = 'vector'")
            self._pgvector = bool(await connection.scalar(installed))
        return self._pgvector


def _row(model: str, one: EmbeddedPassage) -> dict[str, Any]:
    return {
        "of_content": one.key.content_id,
        "of_page": one.key.page,
        "of_number": one.key.number,
        "by_model": model,
        "signs": None if one.vector is None else _signs(one.vector),
        "vector": None if one.vector is None else one.vector.tolist(),
    }


def _likely(*, one_file: bool, pgvector: bool) -> Subquery:
    """The places of the owner's passages whose vectors have most signs in common with this one.

    What compares bits in pgvector takes half the time of what PostgreSQL has for it.
    """
    asked = once(cast(cast(bindparam("signs", type_=String()), BIT(varying=True)), AnyBits()))
    sketch = cast(_e.sketch, AnyBits())
    different = sketch.op("<~>")(asked) if pgvector else func.bit_count(sketch.op("#")(asked))
    these = [_e.owner_id == OWNER, _e.model == bindparam("model", type_=String())]
    if one_file:
        these.append(_e.content_id == CONTENT)
    return (
        select(*_place(_e))
        .where(*these, func.length(_e.sketch) == bindparam("length", type_=Integer()))
        .order_by(different)
        .limit(bindparam("compared", type_=Integer()))
        .subquery("likely")
    )


@cache
def _nearest(*, one_file: bool) -> Select[*tuple[Any, ...]]:
    """By pgvector's negative inner product."""
    asked = once(cast(bindparam("vector", type_=String()), PgVector()))
    distance = cast(_v.vector, PgVector()).op("<#>", return_type=Float[float]())(asked)
    found = _joined(one_file=one_file, pgvector=True).add_columns((-distance).label("score"))
    return best_passages(found.order_by(distance).limit(LIMIT).cte("best"))


@cache
def _vectors(*, one_file: bool) -> Select[*tuple[Any, ...]]:
    """As the database sends them."""
    joined = _joined(one_file=one_file, pgvector=False)
    return joined.add_columns(func.array_send(_v.vector).label("vector"))


def _joined(*, one_file: bool, pgvector: bool) -> Select[*tuple[Any, ...]]:
    likely = _likely(one_file=one_file, pgvector=pgvector)
    joined = passage_vectors.join(likely, _same(_v, likely.c))
    return select(*_place(_v)).select_from(joined).where(of_a_file(_v.content_id, one=one_file))


def _columns(scored: Mapping[_Place, float]) -> dict[str, list[Any]]:
    """The columns of a table of places and their scores."""
    contents, pages, numbers = ([place[n] for place in scored] for n in range(3))
    return {"contents": contents, "pages": pages, "numbers": numbers, "scores": [*scored.values()]}


def _given() -> Select[*tuple[Any, ...]]:
    """The passages of such a table."""
    table = func.unnest(
        bindparam("contents", type_=ARRAY(Uuid)),
        bindparam("pages", type_=ARRAY(Integer)),
        bindparam("numbers", type_=ARRAY(Integer)),
        bindparam("scores", type_=ARRAY(Double)),
    )
    columns = ("content_id", "page", "number", "score")
    return best_passages(table.table_valued(*columns, name="best").render_derived())


def _place(columns: Columns) -> tuple[ColumnElement[Any], ...]:
    return columns.content_id, columns.page, columns.number


def _same(one: Columns, other: Columns) -> ColumnElement[bool]:
    return and_(*(a == b for a, b in zip(_place(one), _place(other), strict=True)))


def _signs(vector: Vector) -> str:
    return "".join("1" if value > 0 else "0" for value in vector)


def _closest(
    rows: Sequence[tuple[_Place, bytes]], vector: Vector, limit: int
) -> dict[_Place, float]:
    """The places of the closest vectors, the closest first."""
    scored = ((sum(map(mul, vector, _received(octets))), place) for place, octets in rows)
    best = heapq.nlargest(limit, scored, key=lambda one: one[0])
    return {place: score for score, place in best}


def _received(octets: bytes) -> Vector:
    """The elements, each of which comes after its length; big-endian."""
    numbers: Vector = array("f", octets)
    if sys.byteorder == "little":
        numbers.byteswap()
    return numbers[_HEADER + 1 :: 2]


_GIVEN = _given()

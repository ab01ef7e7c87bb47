"""Embeddings of passages: claimed once, stored, and compared."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, event, text
from tests.backend.adapters.persistence.test_uploads import uploaded
from tests.harness.database import Postgres, TemporaryDatabase
from tests.harness.rows import ANN, BOB

from cartrita.adapters.persistence import passage_vectors
from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.file_reading import ReadingTable
from cartrita.adapters.persistence.passage_vectors import PassageVectorTable
from cartrita.domain.embeddings import EmbeddedPassage, UnembeddedPassage, unit_vector
from cartrita.domain.files import FilePage, StoredFile
from cartrita.domain.passages import PassageQuery

NORTH, EAST = unit_vector([0, 1]), unit_vector([1, 0])


async def read(pool: Database, *pages: str, digest: str = "00", owner_id: str = ANN) -> StoredFile:
    file = await uploaded(pool, digest, owner_id=owner_id)
    queue = ReadingTable(pool, silence_s=60)
    task = await queue.claim()
    assert task is not None
    await queue.add(task, [FilePage(number, each) for number, each in enumerate(pages, 1)], 1.0)
    await queue.finish(task, None)
    return file


async def embedded(pool: Database, *values: tuple[float, float], model: str = "p/m") -> None:
    """All of one owner's passages, in the order of their pages."""
    table = PassageVectorTable(pool)
    claimed = sorted(await table.claim(model, 100), key=lambda one: one.key.page)
    vectors = [
        EmbeddedPassage(one.key, unit_vector(of)) for one, of in zip(claimed, values, strict=True)
    ]
    await table.store(model, vectors)


async def nearest(pool: Database, query: PassageQuery, model: str = "p/m") -> list[int]:
    found = await PassageVectorTable(pool).nearest(query, model, NORTH)
    return [each.passage.page for each in found]


async def test_passages_are_claimed_once_and_of_one_owner(pool: Database) -> None:
    await read(pool, "one", "two", "three")
    await read(pool, "theirs", owner_id=BOB)
    table = PassageVectorTable(pool)
    claims: list[list[UnembeddedPassage]] = []
    while any(some := await asyncio.gather(*(table.claim("p/m", 2) for _ in range(4)))):
        claims += some
    texts = sorted(one.text for claim in claims for one in claim)
    assert texts == ["one", "theirs", "three", "two"]
    assert all(len({one.owner_id for one in claim}) <= 1 for claim in claims)
    assert await table.claim("p/m", 9) == []
    async with pool.use() as connection:
        await connection.execute(
            text("UPDATE passage_embeddings SET claimed_at = now() - interval '1 hour'")
        )
    assert await table.claim("p/m", 9) != []


@pytest.fixture(params=["arrays", "pgvector"])
def compared_by(
    request: pytest.FixtureRequest, postgres: Postgres, database: TemporaryDatabase
) -> str:
    """With what vectors are compared: the extension, where the database has it."""
    if request.param == "pgvector":
        postgres.add_pgvector(database)
    return request.param


@pytest.mark.usefixtures("compared_by")
async def test_the_closest_come_first(pool: Database) -> None:
    file = await read(pool, "one", "two", "three", "four")
    await embedded(pool, (1, 0), (1, 5), (-1, 0.1), (0, -1))
    query = PassageQuery(owner_id=ANN, text="", limit=3)
    assert await nearest(pool, query) == [2, 3, 1]
    assert await nearest(pool, PassageQuery(owner_id=BOB, text="")) == []
    assert await nearest(pool, query, "p/other") == []
    other = await read(pool, "five", digest="01")
    of_it = PassageQuery(owner_id=ANN, text="", content_id=other.content_id)
    assert await nearest(pool, of_it) == []
    of_file = PassageQuery(owner_id=ANN, text="", content_id=file.content_id, limit=1)
    assert await nearest(pool, of_file) == [2]


async def test_pgvector_is_used_where_it_is(pool: Database, compared_by: str) -> None:
    await read(pool, "one", "two")
    await embedded(pool, (1, 0), (0, 1))
    statements: list[str] = []
    with recorded(statements):
        assert await nearest(pool, PassageQuery(owner_id=ANN, text="")) == [2, 1]
    assert any("<#>" in one for one in statements) == (compared_by == "pgvector")


@contextmanager
def recorded(statements: list[str]) -> Generator[None]:
    """The statements that any pool executes."""

    def note(*given: Any) -> None:
        statements.append(given[2])

    event.listen(Engine, "before_cursor_execute", note)
    yield
    event.remove(Engine, "before_cursor_execute", note)


@pytest.mark.usefixtures("compared_by")
async def test_vectors_of_other_lengths_are_not_compared(pool: Database) -> None:
    await read(pool, "one", "two")
    table = PassageVectorTable(pool)
    claimed = sorted(await table.claim("p/m", 9), key=lambda one: one.key.page)
    await table.store(
        "p/m",
        [
            EmbeddedPassage(claimed[0].key, unit_vector([1, 2, 3])),
            EmbeddedPassage(claimed[1].key, EAST),
        ],
    )
    assert await nearest(pool, PassageQuery(owner_id=ANN, text="")) == [2]


async def test_what_a_model_refuses_is_not_claimed_again_but_by_another_model(
    pool: Database,
) -> None:
    await read(pool, "one")
    table = PassageVectorTable(pool)
    [claimed] = await table.claim("p/m", 9)
    await table.store("p/m", [EmbeddedPassage(claimed.key, None)])
    assert await table.claim("p/m", 9) == []
    assert await nearest(pool, PassageQuery(owner_id=ANN, text="")) == []
    assert [one.key for one in await table.claim("p/other", 9)] == [claimed.key]


async def test_of_many_those_with_the_same_signs_are_compared(
    pool: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passage_vectors, "_COMPARED", 2)
    await read(pool, "one", "two", "three", "four")
    await embedded(pool, (1, -1), (-1, 3), (-1, -1), (-1, 9))
    assert await nearest(pool, PassageQuery(owner_id=ANN, text="", limit=2)) == [4, 2]


async def test_passages_that_are_gone_are_left_out(pool: Database) -> None:
    await read(pool, "one", "two")
    table = PassageVectorTable(pool)
    first, second = sorted(await table.claim("p/m", 9), key=lambda one: one.key.page)
    async with pool.use() as connection:
        await connection.execute(text("DELETE FROM file_pages WHERE number = 1"))
    await table.store("p/m", [EmbeddedPassage(one.key, NORTH) for one in (first, second)])
    assert await nearest(pool, PassageQuery(owner_id=ANN, text="")) == [2]
    async with pool.use() as connection:
        await connection.execute(text("DELETE FROM file_pages"))
        left = await connection.scalar(text("SELECT count(*) FROM passage_vectors"))
    assert left == 0


async def test_another_model_takes_the_place_of_the_last_one(pool: Database) -> None:
    await read(pool, "one", "two")
    await embedded(pool, (1, 0), (0, 1))
    await embedded(pool, (0, 1), (1, 0), model="p/other")
    query = PassageQuery(owner_id=ANN, text="")
    assert await nearest(pool, query) == []
    assert await nearest(pool, query, "p/other") == [1, 2]

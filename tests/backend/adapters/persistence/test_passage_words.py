"""Passages are found by the rare words of a question, and one owner's search reads no other's."""

from collections.abc import Sequence

import pytest
from sqlalchemy import text
from tests.backend.adapters.persistence.test_passage_vectors import read
from tests.harness.rows import ANN, BOB

from cartrita.adapters.persistence import owned_words, passage_words
from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.passage_words import QueryWord, compared
from cartrita.adapters.persistence.passages import PassageTable
from cartrita.domain.passages import PassageQuery


async def pages(pool: Database, asked: str, owner_id: str = ANN, limit: int = 8) -> list[int]:
    query = PassageQuery(owner_id=owner_id, text=asked, limit=limit)
    return [each.passage.page for each in await PassageTable(pool).with_words(query)]


def words(*passages: int) -> list[QueryWord]:
    return [QueryWord(str(number), held, 1.0) for number, held in enumerate(passages)]


async def test_a_rare_word_weighs_more_than_common_ones(pool: Database) -> None:
    common = ["The pump and the gate and the bed."] * 9
    await read(pool, *common, "Heliotropes stand here.", "The pump, the gate.")
    assert (await pages(pool, "heliotrope pump gate"))[0] == 10


async def test_a_word_of_another_owner_is_as_rare_as_if_they_were_not_there(pool: Database) -> None:
    await read(pool, "A pump.", "A gate.", *["A gate."] * 5)
    query = PassageQuery(owner_id=ANN, text="pump gate")
    before = await PassageTable(pool).with_words(query)
    await read(pool, *["A pump."] * 20, digest="01", owner_id=BOB)
    assert await PassageTable(pool).with_words(query) == before
    assert before[0].passage.page == 1
    assert len(await pages(pool, "pump", BOB, limit=50)) == 20
    assert await pages(pool, "gate", BOB) == []


async def test_the_index_holds_each_owners_words_apart(pool: Database) -> None:
    await read(pool, "A pump.", "A pump.")
    await read(pool, *["A pump."] * 30, digest="01", owner_id=BOB)
    mine = owned_words.all_of(ANN, ["pump"])
    plan = (
        "EXPLAIN (ANALYZE, FORMAT TEXT) SELECT 1 FROM passages WHERE "
        f"cartrita_owned_words(owner_id, search) @@ $${mine}$$"
    )
    async with pool.use() as connection:
        await connection.execute(text("SET LOCAL enable_seqscan = off"))
        lines = [row[0] for row in await connection.execute(text(plan))]
    [scan] = [line for line in lines if "Bitmap Index Scan" in line]
    assert "passages_cartrita_owned_words_idx" in scan
    assert "rows=2.00" in scan


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ('"blue pump"', [1]),
        ("pump -blue", [2]),
        ('pump -"blue pump"', [2]),
        ('"blue gate"', [1, 3]),  # nowhere: what holds some of the words does
        ("blue or red", [1, 2]),
    ],
)
async def test_operators_of_web_search(pool: Database, asked: str, found: list[int]) -> None:
    await read(pool, "The blue pump.", "The pump by the wall is red.", "A gate.")
    assert sorted(await pages(pool, asked))[: len(found)] == found


async def test_more_passages_than_are_compared(
    pool: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passage_words, "MOST_COMPARED", 3)
    common = ["A pump.", "A gate.", "A bed."] * 4
    await read(pool, *common, "A pump, a gate, a bed.", "Heliotropes.", "A pump and a bed.")
    assert await pages(pool, "pump gate bed", limit=1) == [13]
    assert set(await pages(pool, "heliotrope pump gate bed", limit=2)) == {14, 13}
    assert len(await pages(pool, "pump gate bed")) >= 5


@pytest.mark.parametrize(
    ("given", "levels"),
    [
        ((), []),
        ((0, 0), []),
        ((0, 3), [((1,), ())]),
        ((1, 400, 450), [((0, 1), ((2,),))]),
        ((500, 500), [((), ((0, 1),)), ((), ((0,), (1,)))]),
        (
            (9, 500, 500, 500),
            [
                ((0,), ((1, 2, 3),)),
                ((0,), ((1, 2), (1, 3), (2, 3))),
                ((0,), ((1,), (2,), (3,))),
            ],
        ),
    ],
)
def test_what_is_compared(given: Sequence[int], levels: list[object]) -> None:
    found = [
        (tuple(map(int, each.any_of)), tuple(tuple(map(int, one)) for one in each.all_of))
        for each in compared(words(*given))
    ]
    assert found == levels

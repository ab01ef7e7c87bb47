"""Words stand in the index with their owner's mark, whatever they are made of."""

import pytest
from sqlalchemy import text
from tests.backend.adapters.persistence.test_passage_vectors import read
from tests.harness.rows import ANN, BOB

from cartrita.adapters.persistence import owned_words
from cartrita.adapters.persistence.database import Database

MARK = owned_words.mark_of(ANN)


@pytest.mark.parametrize(
    ("query", "owned"),
    [
        ("'zebra'", "'+zebra'"),
        ("'blue' & 'pump':* | 'gate'", "'+blue' & '+pump':* | '+gate'"),
        ("'blue' <-> 'pump' <12> 'bed'", "'+blue' & '+pump' & '+bed'"),
        ("'blue' & 'pu':*", "'+blue' & '+pu'"),
        ("'it''s <-> ''' & '\\\\:*'", "'+it''s <-> ''' & '+\\\\:*'"),
    ],
)
def test_queries(query: str, owned: str) -> None:
    assert owned_words.of_owner(ANN, query) == owned.replace("+", MARK)


@pytest.mark.parametrize("query", ["", "!'gate'", "'pump' & !!'gate'", "'a' | !( 'b' <-> 'c' )"])
def test_what_reads_the_words_of_others_is_no_query(query: str) -> None:
    assert owned_words.of_owner(ANN, query) is None


def test_exclamation_marks_within_words_are_no_operators() -> None:
    assert owned_words.of_owner(ANN, "'/a!b'") == f"'{MARK}/a!b'"


@pytest.mark.parametrize("word", ["pump", "o'neil", "a\\b", "'", "<->", "w" * 199, "ж" * 200])
async def test_the_database_marks_words_as_queries_do(pool: Database, word: str) -> None:
    async with pool.use() as connection:
        held = text(
            "SELECT cartrita_owned_words(:owner, array_to_tsvector(ARRAY[:word])) @@ :query"
        )
        for owner, found in ((ANN, True), (BOB, False)):
            values = {"owner": owner, "word": word, "query": owned_words.any_of(ANN, [word])}
            assert await connection.scalar(held.columns(), values) is found


async def test_words_of_any_length_are_stored(pool: Database) -> None:
    await read(pool, f"The {'ж' * 1_000} pump and {'a' * 2_046} and {'b' * 3_000}.")
    async with pool.use() as connection:
        [longest] = await connection.scalars(
            text(
                "SELECT max(length(word)) FROM passages, "
                "unnest(tsvector_to_array(cartrita_owned_words(owner_id, search))) AS word"
            )
        )
    assert longest == len(MARK) + 200

"""The cache of answers in Postgres."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from cartrita.adapters.persistence.cached_answers import CachedAnswerTable
from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.tables import cached_answers
from cartrita.domain.cached_answers import CacheBounds, CachedAnswer, RelayedBytes
from cartrita.domain.deltas import Finished, FinishReason, TextDelta
from cartrita.domain.receipts import Receipt
from cartrita.domain.usage import Usage


def answer(text: str = "Hi") -> CachedAnswer:
    return CachedAnswer(
        provider="p",
        model="m",
        deltas=(TextDelta(text), Finished(FinishReason.STOP, Usage(1, 2))),
        receipts=(Receipt("seed", "openai_chat", "anthropic_messages", "dropped", "No seed."),),
        relayed=RelayedBytes(b"hash", text.encode()),
    )


@pytest.fixture
def table(pool: Database) -> CachedAnswerTable:
    return CachedAnswerTable(pool, CacheBounds(entries=2, total_bytes=4000, entry_bytes=2000))


async def test_another_process_finds_what_was_put(pool: Database, table: CachedAnswerTable) -> None:
    assert await table.get(b"a", 60) is None
    await table.put(b"a", answer(), 60)
    assert await CachedAnswerTable(pool).get(b"a", 60) == answer()
    await table.put(b"a", answer("newer"), 60)
    assert await CachedAnswerTable(pool).get(b"a", 60) == answer("newer")


async def test_what_is_too_old_is_not_found_and_swept(pool: Database) -> None:
    table = CachedAnswerTable(pool)
    await table.put(b"old", answer(), 0)
    assert await table.get(b"old", 60) is None
    await table.put(b"a", answer(), 60)
    assert await table.sweep() == 1
    assert await table.get(b"a", 60) is not None


async def test_a_reader_who_wants_a_younger_one_gets_none(pool: Database) -> None:
    table = CachedAnswerTable(pool)
    await table.put(b"a", answer(), 86_400)
    hour = {"stored_at": cached_answers.c.stored_at - timedelta(hours=1)}
    async with pool.use() as connection:
        await connection.execute(update(cached_answers).values(hour))
    assert await table.get(b"a", 60) is None
    assert await table.get(b"a", 7200) == answer()


async def test_entries_and_bytes_are_bounded(pool: Database, table: CachedAnswerTable) -> None:
    for key in (b"a", b"b", b"c"):
        await table.put(key, answer(), 60)
    assert [await table.get(key, 60) is not None for key in (b"a", b"b", b"c")] == [
        False,
        True,
        True,
    ]
    await table.put(b"d", answer("x" * 800), 60)  # its text is in it twice
    await table.put(b"e", answer("x" * 800), 60)
    assert await table.get(b"d", 60) is not None
    small = CachedAnswerTable(pool, CacheBounds(total_bytes=2000))
    assert await small.sweep() == 1
    assert await table.get(b"e", 60) is not None


async def test_one_that_is_too_long_is_not_kept(table: CachedAnswerTable) -> None:
    await table.put(b"long", answer("x" * 2000), 60)
    assert await table.get(b"long", 60) is None


async def test_what_another_version_wrote_is_no_answer(
    pool: Database, table: CachedAnswerTable
) -> None:
    await table.put(b"a", answer(), 60)
    async with pool.use() as connection:
        await connection.execute(update(cached_answers).values(answer=b"\x80"))
    assert await table.get(b"a", 60) is None

"""The cache of answers in Postgres."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from cartrita.adapters.persistence.cached_answers import CachedAnswerTable
from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.tables.usage import cached_answers
from cartrita.domain.cached_answers import CacheBounds, CachedAnswer, CacheKey, RelayedBytes
from cartrita.domain.deltas import Finished, FinishReason, TextDelta
from cartrita.domain.receipts import Receipt
from cartrita.domain.usage import Usage


def key(name: str, owner_id: str = "ann") -> CacheKey:
    return CacheKey(owner_id, name.encode())


def answer(text: str = "Hi") -> CachedAnswer:
    return CachedAnswer(
        provider="p",
        model="m",
        deltas=(TextDelta(text), Finished(FinishReason.STOP, Usage(1, 2))),
        receipts=(Receipt("seed", "openai_chat", "anthropic_messages", "dropped", "No seed."),),
        relayed=RelayedBytes(b"hash", text.encode()),
    )


async def let_pass(pool: Database, time: timedelta) -> None:
    c = cached_answers.c
    values = {"stored_at": c.stored_at - time, "expires_at": c.expires_at - time}
    async with pool.use() as connection:
        await connection.execute(update(cached_answers).values(values))


@pytest.fixture
def table(pool: Database) -> CachedAnswerTable:
    return CachedAnswerTable(pool, CacheBounds(entries=2, total_bytes=4000, entry_bytes=2000))


async def test_another_process_finds_what_was_put(pool: Database, table: CachedAnswerTable) -> None:
    assert await table.get(key("a"), 60) is None
    await table.put(key("a"), answer(), 60)
    assert await table.get(key("a", "bob"), 60) is None
    assert await CachedAnswerTable(pool).get(key("a"), 60) == answer()
    await table.put(key("a"), answer("newer"), 60)
    assert await CachedAnswerTable(pool).get(key("a"), 60) == answer("newer")


async def test_what_is_too_old_is_not_found_and_swept(pool: Database) -> None:
    table = CachedAnswerTable(pool)
    await table.put(key("old"), answer(), 0)
    assert await table.get(key("old"), 60) is None
    await table.put(key("a"), answer(), 60)
    assert await table.sweep() == 1
    assert await table.get(key("a"), 60) is not None


async def test_a_reader_who_wants_a_younger_one_gets_none(pool: Database) -> None:
    table = CachedAnswerTable(pool)
    await table.put(key("a"), answer(), 86_400)
    await let_pass(pool, timedelta(hours=1))
    assert await table.get(key("a"), 60) is None
    assert await table.get(key("a"), 7200) == answer()


async def test_a_reader_who_wants_a_younger_one_shortens_nothing(pool: Database) -> None:
    table = CachedAnswerTable(pool)
    await table.put(key("a"), answer(), 86_400)
    await let_pass(pool, timedelta(hours=1))
    await table.put(key("a"), answer("newer"), 60)
    await let_pass(pool, timedelta(hours=1))
    assert await table.get(key("a"), 60) is None
    assert await table.get(key("a"), 86_400) == answer("newer")
    await let_pass(pool, timedelta(hours=23))
    assert await table.get(key("a"), 86_400) is None


async def test_a_reader_who_takes_older_ones_keeps_it_longer(pool: Database) -> None:
    table = CachedAnswerTable(pool)
    await table.put(key("a"), answer(), 60)
    assert await table.get(key("a"), 3600) == answer()
    await let_pass(pool, timedelta(minutes=59))
    assert await table.sweep() == 0
    assert await table.get(key("a"), 3600) == answer()
    await let_pass(pool, timedelta(minutes=1))
    assert await table.get(key("a"), 86_400) is None


async def test_entries_and_bytes_are_bounded(pool: Database, table: CachedAnswerTable) -> None:
    for name in "abc":
        await table.put(key(name), answer(), 60)
    assert [await table.get(key(name), 60) is not None for name in "abc"] == [
        False,
        True,
        True,
    ]
    await table.put(key("d"), answer("x" * 800), 60)  # its text is in it twice
    await table.put(key("e"), answer("x" * 800), 60)
    assert await table.get(key("d"), 60) is not None
    small = CachedAnswerTable(pool, CacheBounds(total_bytes=2000))
    assert await small.sweep() == 1
    assert await table.get(key("e"), 60) is not None


async def test_one_that_is_too_long_is_not_kept(table: CachedAnswerTable) -> None:
    await table.put(key("long"), answer("x" * 2000), 60)
    assert await table.get(key("long"), 60) is None


async def test_what_another_version_wrote_is_no_answer(
    pool: Database, table: CachedAnswerTable
) -> None:
    await table.put(key("a"), answer(), 60)
    async with pool.use() as connection:
        await connection.execute(update(cached_answers).values(answer=b"\x80"))
    assert await table.get(key("a"), 60) is None

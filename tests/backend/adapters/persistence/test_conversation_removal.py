"""Hiding and purging conversations."""

import asyncio

import pytest
from tests.harness.database import TemporaryDatabase
from tests.harness.rows import (
    ANN,
    BOB,
    counted,
    execute,
    long_branch,
    stored_branch,
    stored_conversation,
    stored_run,
)

from cartrita.adapters.persistence.conversation_removal import ConversationRemover
from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.search import FullText
from cartrita.domain.search import SearchKind, SearchQuery

NOTHING = dict.fromkeys(
    ("conversations", "messages", "runs", "run_events", "run_logs", "idempotency"), 0
)


@pytest.fixture
def removal(pool: Database) -> ConversationRemover:
    return ConversationRemover(pool, batch=7)


async def test_only_the_owner_hides_and_only_once(
    removal: ConversationRemover, pool: Database
) -> None:
    talk = await stored_conversation(pool)
    assert not await removal.hide(BOB, talk.id)
    assert await removal.hide(ANN, talk.id)
    assert not await removal.hide(ANN, talk.id)


async def test_a_hidden_one_goes_with_all_that_belonged_to_it(
    removal: ConversationRemover, pool: Database, database: TemporaryDatabase
) -> None:
    talk = await stored_conversation(pool)
    messages = await stored_branch(pool, talk, *(f"message {n}" for n in range(20)))
    for message in messages:
        await stored_run(database.dsn, talk, message.id)
    await removal.hide(ANN, talk.id)
    assert await removal.purge() == 1
    assert await counted(database.dsn) == NOTHING


async def test_what_is_not_hidden_stays(
    removal: ConversationRemover, pool: Database, database: TemporaryDatabase
) -> None:
    talk, other = await stored_conversation(pool), await stored_conversation(pool)
    for conversation in (talk, other):
        [message] = await stored_branch(pool, conversation, "hello")
        await stored_run(database.dsn, conversation, message.id)
    await removal.hide(ANN, talk.id)
    assert await removal.purge() == 1
    assert await counted(database.dsn) == {
        "conversations": 1,
        "messages": 1,
        "runs": 1,
        "run_events": 3,
        "run_logs": 1,
        "idempotency": 1,
    }


@pytest.mark.parametrize("status", ["queued", "running", "waiting"])
async def test_a_run_that_has_not_ended_keeps_its_conversation(
    removal: ConversationRemover, pool: Database, database: TemporaryDatabase, status: str
) -> None:
    talk = await stored_conversation(pool)
    [message] = await stored_branch(pool, talk, "hello")
    run_id = await stored_run(database.dsn, talk, message.id, status=status)
    await removal.hide(ANN, talk.id)
    assert await removal.purge() == 0
    assert (await counted(database.dsn))["run_events"] == 3
    await execute(database.dsn, "UPDATE runs SET status = 'cancelled' WHERE id = $1", run_id)
    assert await removal.purge() == 1
    assert await counted(database.dsn) == NOTHING


async def test_more_than_one_batch_goes_in_one_call(
    removal: ConversationRemover, pool: Database, database: TemporaryDatabase
) -> None:
    for _ in range(16):
        talk = await stored_conversation(pool)
        await stored_branch(pool, talk, "hello")
        await removal.hide(ANN, talk.id)
    assert await removal.purge() == 16
    assert await counted(database.dsn) == NOTHING


async def test_a_long_branch_does_not_nest_its_deletion(
    pool: Database, database: TemporaryDatabase
) -> None:
    talk = await stored_conversation(pool)
    await long_branch(database.dsn, talk, 10_000)
    removal = ConversationRemover(pool)
    await removal.hide(ANN, talk.id)
    assert await removal.purge() == 1
    assert await counted(database.dsn) == NOTHING


async def test_replicas_may_purge_at_the_same_time(
    removal: ConversationRemover, pool: Database, database: TemporaryDatabase
) -> None:
    for _ in range(10):
        talk = await stored_conversation(pool)
        [message] = await stored_branch(pool, talk, "hello")
        await stored_run(database.dsn, talk, message.id)
        await removal.hide(ANN, talk.id)
    purged = await asyncio.gather(*(removal.purge() for _ in range(4)))
    assert sum(purged) == 10
    assert await counted(database.dsn) == NOTHING


async def test_search_finds_nothing_of_it_from_the_first_moment(
    removal: ConversationRemover, pool: Database
) -> None:
    talk = await stored_conversation(pool, title="Zebra")
    await stored_branch(pool, talk, "a zebra")
    query = SearchQuery(owner_id=ANN, text="zebra", kinds=frozenset(SearchKind))
    assert (await FullText(pool).search(query)).total == 2
    await removal.hide(ANN, talk.id)
    assert (await FullText(pool).search(query)).total == 0
    assert await FullText(pool).passages(ANN, "zebra", 5) == []

"""Where conversations branch, and the choice of the current branch, in Postgres."""

import pytest
from tests.harness.database import TemporaryDatabase
from tests.harness.rows import (
    ANN,
    BOB,
    a_message,
    stored_branch,
    stored_conversation,
    stored_run,
)

from cartrita.adapters.persistence.conversations import ConversationTable
from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.messages import MessageTree
from cartrita.adapters.persistence.siblings import BranchTable
from cartrita.domain.conversations import Conversation
from cartrita.domain.errors import Conflict, NotFound
from cartrita.domain.ids import MessageId
from cartrita.domain.messages import Siblings, StoredMessage
from cartrita.kit.ids import uuid7


@pytest.fixture
def tree(pool: Database) -> BranchTable:
    return BranchTable(pool)


@pytest.fixture
async def talk(pool: Database) -> Conversation:
    return await stored_conversation(pool)


async def head_of(pool: Database, talk: Conversation) -> MessageId | None:
    found = await ConversationTable(pool).find(ANN, talk.public_id)
    assert found is not None
    return found.head_message_id


async def added(pool: Database, talk: Conversation, parent: StoredMessage | None) -> StoredMessage:
    """One more message under a parent, which is then the head."""
    message = a_message(talk, "Or so?", parent)
    await MessageTree(pool).add(message, ANN)
    return message


async def test_a_straight_conversation_has_none(
    tree: BranchTable, pool: Database, talk: Conversation
) -> None:
    await stored_branch(pool, talk, "Why?", "So.", "Sure?")
    assert await tree.siblings(ANN, talk.id, 10) == []


async def test_the_lowest_come_first_and_the_oldest_of_each(
    tree: BranchTable, pool: Database, talk: Conversation
) -> None:
    first, second, third = await stored_branch(pool, talk, "Why?", "So.", "Sure?")
    other_third = await added(pool, talk, second)
    other_first = await added(pool, talk, None)
    below = Siblings(second.id, (third.id, other_third.id))
    beginnings = Siblings(None, (first.id, other_first.id))
    assert await tree.siblings(ANN, talk.id, 10) == [below, beginnings]
    assert await tree.siblings(ANN, talk.id, 1) == [below]
    assert await tree.siblings(BOB, talk.id, 10) == []


async def test_the_newest_end_below_what_is_chosen_is_the_head(
    tree: BranchTable, pool: Database, talk: Conversation
) -> None:
    first, second, third = await stored_branch(pool, talk, "Why?", "So.", "Sure?")
    other_third = await added(pool, talk, second)
    other_first = await added(pool, talk, None)
    assert await head_of(pool, talk) == other_first.id
    for chosen, head in (
        (first, other_third),
        (third, third),
        (second, other_third),
        (other_first, other_first),
    ):
        await tree.select(ANN, talk.id, chosen.id)
        assert await head_of(pool, talk) == head.id


async def test_what_is_not_there_is_not_chosen(
    tree: BranchTable, pool: Database, talk: Conversation
) -> None:
    [mine] = await stored_branch(pool, talk, "Why?")
    elsewhere = await stored_conversation(pool)
    for owner, conversation, message in (
        (BOB, talk.id, mine.id),
        (ANN, elsewhere.id, mine.id),
        (ANN, talk.id, MessageId(uuid7())),
    ):
        with pytest.raises(NotFound):
            await tree.select(owner, conversation, message)
    assert await head_of(pool, talk) == mine.id


async def test_nothing_is_chosen_while_something_is_answered(
    tree: BranchTable, pool: Database, database: TemporaryDatabase, talk: Conversation
) -> None:
    question, answer = await stored_branch(pool, talk, "Why?", "So.")
    await stored_run(database.dsn, talk, question.id, answer.id, status="running")
    with pytest.raises(Conflict, match="still being written"):
        await tree.select(ANN, talk.id, question.id)

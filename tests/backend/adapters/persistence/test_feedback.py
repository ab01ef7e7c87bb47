"""Unsent scores in Postgres: an answer has one sender at a time, and the latest word is last."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text
from tests.harness.rows import ANN, a_message, stored_conversation

from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.feedback import FeedbackTable, UnsentScoreTable
from cartrita.adapters.persistence.messages import MessageTree
from cartrita.domain.feedback import Feedback
from cartrita.domain.ids import MessageId, RunId
from cartrita.domain.messages import Message, Role, Text
from cartrita.kit import clock
from cartrita.kit.ids import uuid7

LONG_S = 3600.0


@pytest.fixture
async def answer(pool: Database) -> MessageId:
    talk = await stored_conversation(pool)
    said = a_message(
        talk, "", message=Message(Role.ASSISTANT, (Text("Yes."),)), run_id=RunId(uuid7())
    )
    await MessageTree(pool).add(said, ANN)
    return said.id


async def give(pool: Database, answer: MessageId, score: float) -> None:
    given = Feedback(
        message_id=answer, run_id=None, score=score, comment=None, given_at=clock.now()
    )
    await FeedbackTable(pool).put(ANN, given, scored=True)


@pytest.mark.parametrize("taken_back", [False, True])
async def test_what_changes_while_it_is_sent_is_sent_after_it(
    pool: Database, answer: MessageId, taken_back: bool
) -> None:
    unsent = UnsentScoreTable(pool)
    await give(pool, answer, 1)
    sending = await unsent.claim(LONG_S)
    assert sending is not None
    if taken_back:
        assert await FeedbackTable(pool).delete(ANN, answer)
    else:
        await give(pool, answer, 2)
    assert await unsent.claim(LONG_S) is None, "it would overtake what is being sent"

    await unsent.sent(sending)
    last = await unsent.claim(LONG_S)
    assert last is not None
    assert last.score == (None if taken_back else 2)
    await unsent.sent(last)
    assert await unsent.forget(clock.now() + timedelta(days=1)) == 0


@pytest.mark.parametrize("given_again", [False, True])
async def test_a_score_that_is_sent_again_waits_no_longer_each_time(
    pool: Database, answer: MessageId, given_again: bool
) -> None:
    unsent = UnsentScoreTable(pool)
    await give(pool, answer, 1)
    assert await FeedbackTable(pool).delete(ANN, answer)
    for _ in range(3):  # to wait for eight times as long after the next
        await a_second_later(pool)
        sending = await unsent.claim(1)
        assert sending is not None
        if given_again:
            await give(pool, answer, 2)
        await unsent.again(sending, 0.5)
        if given_again:
            break
    if not given_again:
        assert await unsent.claim(LONG_S) is None, "it was sent a moment ago"
        await a_second_later(pool)
    last = await unsent.claim(LONG_S)
    assert last is not None
    assert last.score == (2 if given_again else None)


async def test_scores_are_counted_that_were_given_before_a_moment(
    pool: Database, answer: MessageId
) -> None:
    unsent = UnsentScoreTable(pool)
    before = clock.now()
    await give(pool, answer, 1)
    assert await unsent.count(before) == 0
    assert await unsent.count(clock.now() + timedelta(seconds=1)) == 1


async def a_second_later(pool: Database) -> None:
    async with pool.transaction() as connection:
        await connection.execute(
            text("UPDATE unsent_scores SET due_at = due_at - interval '1 second'")
        )


async def give_as_before(pool: Database, answer: MessageId) -> None:
    """As a server of the version before does, which may run beside this one."""
    async with pool.transaction() as connection:
        await connection.execute(
            text(
                "INSERT INTO feedback (message_id, owner_id, run_id, score, given_at) "
                "SELECT id, owner_id, run_id, 1, now() FROM messages WHERE id = :id"
            ),
            {"id": answer},
        )


async def test_what_was_given_to_a_server_of_the_version_before_is_taken_back(
    pool: Database, answer: MessageId
) -> None:
    await give_as_before(pool, answer)
    assert await FeedbackTable(pool).delete(ANN, answer)
    taken_back = await UnsentScoreTable(pool).claim(LONG_S)
    assert taken_back is not None
    assert taken_back.score is None


async def test_feedback_on_the_answer_of_no_run_has_no_score_to_be_taken_back(
    pool: Database,
) -> None:
    said = a_message(await stored_conversation(pool), "Yes.")
    await MessageTree(pool).add(said, ANN)
    await give_as_before(pool, said.id)
    assert await FeedbackTable(pool).delete(ANN, said.id)
    assert await UnsentScoreTable(pool).claim(LONG_S) is None


async def test_a_score_is_given_to_one_sender(pool: Database, answer: MessageId) -> None:
    unsent = UnsentScoreTable(pool)
    await give(pool, answer, 1)
    assert await unsent.claim(LONG_S) is not None
    assert await unsent.claim(LONG_S) is None


async def test_nobody_who_changes_their_mind_waits_for_themselves(
    pool: Database, answer: MessageId
) -> None:
    """Rows are locked in the same order by whoever gives feedback and whoever takes it back."""
    await asyncio.gather(
        *[give(pool, answer, 1) for _ in range(40)],
        *[FeedbackTable(pool).delete(ANN, answer) for _ in range(40)],
    )
    await give(pool, answer, 2)
    kept = await FeedbackTable(pool).get(ANN, answer)
    assert kept is not None
    assert kept.score == 2

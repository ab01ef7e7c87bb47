"""Use cases of messages, on their real stores."""

from collections.abc import AsyncGenerator
from typing import cast

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

from cartrita.adapters.persistence.conversation_removal import ConversationRemover
from cartrita.adapters.persistence.conversations import ConversationTable
from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.items import ItemTable
from cartrita.adapters.persistence.messages import MessageTree
from cartrita.application.conversations.conversations import PAGE_MAX, Conversations
from cartrita.application.conversations.messages import REVISION_MAX, Messages
from cartrita.domain.conversations import Conversation
from cartrita.domain.errors import Conflict, InvalidInput, NotFound
from cartrita.domain.ids import ConversationId, MessageId, RunId
from cartrita.domain.messages import Message, MessageStatus, Role, StoredMessage, Text
from cartrita.domain.ports.runs import RunCancellation, RunReader
from cartrita.domain.principals import Principal
from cartrita.domain.usage import Usage
from cartrita.kit import pagination
from cartrita.kit.ids import public, uuid7

ME, OTHER = Principal(ANN, "key"), Principal(BOB, "key")


@pytest.fixture
async def pool(database: TemporaryDatabase) -> AsyncGenerator[Database]:
    made = Database(database.dsn, pool_size=4)
    yield made
    await made.close()


@pytest.fixture
def conversations(pool: Database) -> Conversations:
    tables = ConversationTable(pool), ConversationRemover(pool), MessageTree(pool)
    nobody = None  # nothing here asks for runs
    return Conversations(*tables, cast("RunReader", nobody), cast("RunCancellation", nobody))


@pytest.fixture
def messages(pool: Database, conversations: Conversations) -> Messages:
    return Messages(MessageTree(pool), ItemTable(pool), conversations)


@pytest.fixture
async def talk(pool: Database) -> Conversation:
    return await stored_conversation(pool, external_id="x")


def named(message: StoredMessage) -> str:
    return public("msg", message.id)


async def pages(messages: Messages, limit: int) -> list[list[str]]:
    found: list[list[str]] = []
    cursor = None
    while True:
        page = await messages.list(ME, "x", limit, cursor)
        found.append([message.message.text for message in page.items])
        cursor = page.next_cursor
        if cursor is None:
            return found


async def test_the_current_branch_is_listed_the_oldest_first(
    messages: Messages, pool: Database, talk: Conversation
) -> None:
    branch = await stored_branch(pool, talk, "0", "1", "2", "3")
    await stored_branch(pool, talk, "2b", "3b", "4b", parent=branch[1])
    assert await pages(messages, 50) == [["0", "1", "2b", "3b", "4b"]]
    assert await pages(messages, 2) == [["0", "1"], ["2b", "3b"], ["4b"]]
    assert await pages(messages, 5) == [["0", "1", "2b", "3b", "4b"]]
    assert await pages(messages, 4) == [["0", "1", "2b", "3b"], ["4b"]]


async def test_an_empty_conversation_has_an_empty_page(
    messages: Messages, talk: Conversation
) -> None:
    assert await pages(messages, 50) == [[]]


async def test_a_page_beyond_the_end_is_empty(
    messages: Messages, pool: Database, talk: Conversation
) -> None:
    await stored_branch(pool, talk, "0", "1")
    for depth in (2, 9, 2**30):
        page = await messages.list(ME, "x", 5, pagination.encode_cursor(depth))
        assert (page.items, page.next_cursor) == ([], None)


@pytest.mark.parametrize("step", [1, 2, 3, 4, 50])
async def test_the_current_branch_is_walked_both_ways_from_any_message(
    messages: Messages, pool: Database, talk: Conversation, step: int
) -> None:
    branch = await stored_branch(pool, talk, "0", "1", "2")
    await stored_branch(pool, talk, "1b", "2b", parent=branch[0])

    async def walked(start: StoredMessage | None, *, newest_first: bool) -> list[str]:
        walk = messages.walk(ME, "x", start=start, newest_first=newest_first, step=step)
        return [stored.message.text async for stored in walk]

    assert await walked(None, newest_first=False) == ["0", "1b", "2b"]
    assert await walked(None, newest_first=True) == ["2b", "1b", "0"]
    middle = (await messages.list(ME, "x")).items[1]
    assert await walked(middle, newest_first=False) == ["1b", "2b"]
    assert await walked(middle, newest_first=True) == ["1b", "0"]


async def test_an_empty_conversation_is_walked_at_once(
    messages: Messages, talk: Conversation
) -> None:
    assert [one async for one in messages.walk(ME, "x")] == []


async def test_a_cursor_of_nobody_and_a_limit_of_nobody_are_refused(
    messages: Messages, talk: Conversation
) -> None:
    for cursor in (
        "",
        "%",
        pagination.encode_cursor(-1),
        pagination.encode_cursor("1"),
        pagination.encode_cursor(2**31),
    ):
        with pytest.raises(InvalidInput) as refusal:
            await messages.list(ME, "x", 5, cursor)
        assert list(refusal.value.fields) == ["cursor"]
    for limit in (0, PAGE_MAX + 1):
        with pytest.raises(InvalidInput) as refusal:
            await messages.list(ME, "x", limit)
        assert list(refusal.value.fields) == ["limit"]


async def test_one_message_by_its_name(
    messages: Messages, pool: Database, talk: Conversation
) -> None:
    [message] = await stored_branch(pool, talk, "0")
    assert await messages.get(ME, "x", named(message)) == message
    assert await messages.get(ME, "x", str(message.id)) == message


async def test_nobody_elses_is_there(
    messages: Messages, pool: Database, talk: Conversation
) -> None:
    question, answer = await stored_branch(pool, talk, "0", "1")
    elsewhere = await stored_conversation(pool, external_id="mine too")
    [foreign] = await stored_branch(pool, elsewhere, "0")
    bobs = await stored_conversation(pool, BOB, external_id="bobs")
    await stored_branch(pool, bobs, "0")
    for principal, conversation, message in [
        (OTHER, "x", named(answer)),
        (OTHER, "bobs", named(answer)),  # through a conversation of his own
        (ME, "x", named(foreign)),
        (ME, "x", "nonsense"),
        (ME, "x", public("msg", uuid7())),
        (ME, "nonsense", named(answer)),
    ]:
        for trying in (
            messages.get(principal, conversation, message),
            messages.delete(principal, conversation, message),
            messages.revise(principal, conversation, message, "Bob was here"),
        ):
            with pytest.raises(NotFound):
                await trying
    with pytest.raises(NotFound):
        await messages.list(OTHER, "x")
    assert await messages.get(ME, "x", named(question)) == question
    assert await pages(messages, 5) == [["0", "1"]]


async def test_deleting_takes_what_followed(
    messages: Messages, pool: Database, talk: Conversation
) -> None:
    branch = await stored_branch(pool, talk, "0", "1", "2")
    await messages.delete(ME, "x", named(branch[1]))
    assert await pages(messages, 5) == [["0"]]
    with pytest.raises(NotFound):
        await messages.delete(ME, "x", named(branch[2]))


async def test_nothing_is_deleted_while_something_is_answered(
    messages: Messages, pool: Database, talk: Conversation, database: TemporaryDatabase
) -> None:
    [message] = await stored_branch(pool, talk, "0")
    await stored_run(database.dsn, talk, message.id, status="running")
    with pytest.raises(Conflict):
        await messages.delete(ME, "x", named(message))


async def test_an_answer_in_other_words_stands_beside_the_first(
    messages: Messages, pool: Database, talk: Conversation
) -> None:
    [question] = await stored_branch(pool, talk, "q")
    answer = a_message(
        talk,
        "first",
        question,
        status=MessageStatus.PARTIAL,
        run_id=RunId(uuid7()),
        model="m",
        provider="p",
        usage=Usage(1, 2),
        metadata={"k": 1},
    )
    await MessageTree(pool).add(answer, ANN)
    await stored_branch(pool, talk, "and then?", parent=answer)
    revision = await messages.revise(ME, "x", named(answer), " second\x00 ")
    assert revision.message.text == " second "
    assert (revision.parent_id, revision.depth) == (question.id, 1)
    assert (revision.edited, revision.status) == (True, MessageStatus.COMPLETE)
    assert (revision.run_id, revision.usage) == (None, None)
    assert (revision.model, revision.metadata) == ("m", {"k": 1})
    assert revision.created_at > answer.created_at
    assert await pages(messages, 5) == [["q", " second "]]
    assert await messages.get(ME, "x", named(revision)) == revision
    assert await messages.get(ME, "x", named(answer)) == answer


async def test_what_cannot_be_revised(
    messages: Messages, pool: Database, talk: Conversation
) -> None:
    question, answer = await stored_branch(pool, talk, "q", "a")
    assert question.message.role is Role.USER
    for message, words in [
        (question, "other words"),
        (answer, ""),
        (answer, " \n\x00"),
        (answer, "x" * (REVISION_MAX + 1)),
    ]:
        with pytest.raises(InvalidInput) as refusal:
            await messages.revise(ME, "x", named(message), words)
        assert list(refusal.value.fields) == ["message"]
    assert await pages(messages, 5) == [["q", "a"]]


class Forgetful(MessageTree):
    """Finds what is gone a moment later."""

    async def delete(self, owner_id: str, message_id: MessageId) -> bool:
        return False


async def test_one_deleted_while_it_is_deleted(
    conversations: Conversations, pool: Database, talk: Conversation
) -> None:
    [message] = await stored_branch(pool, talk, "0")
    with pytest.raises(NotFound):
        await Messages(Forgetful(pool), ItemTable(pool), conversations).delete(
            ME, "x", named(message)
        )


async def test_messages_are_added_without_an_answer(
    messages: Messages,
    conversations: Conversations,
    database: TemporaryDatabase,
    talk: Conversation,
) -> None:
    new = [Message(Role.SYSTEM, (Text("Be brief."),)), user("0"), answer("1"), answer("!")]
    added = await messages.append(ME, "x", new)
    assert [one.message.text for one in added] == ["0", "1!"]
    assert (await messages.list(ME, "x")).items == added
    [more] = await messages.append(ME, "x", [user("2")])
    assert (more.parent_id, more.depth) == (added[1].id, 2)
    assert (await conversations.get(ME, "x")).head_message_id == more.id
    assert await messages.append(ME, "x", []) == []
    assert (await conversations.get(ME, "x")).head_message_id == more.id
    with pytest.raises(NotFound):
        await messages.append(OTHER, "x", new)
    await stored_run(database.dsn, talk, more.id, status="running")
    with pytest.raises(Conflict):
        await messages.append(ME, "x", [user("3")])


async def test_a_message_is_taken_out_of_its_branch(
    messages: Messages, conversations: Conversations, pool: Database, talk: Conversation
) -> None:
    branch = await stored_branch(pool, talk, "0", "1", "2", "3")
    await messages.remove(ME, "x", named(branch[1]))
    left = (await messages.list(ME, "x")).items
    assert [(one.message.text, one.depth) for one in left] == [("0", 0), ("2", 1), ("3", 2)]
    await messages.remove(ME, "x", named(branch[0]))
    await messages.remove(ME, "x", named(branch[3]))
    [last] = (await messages.list(ME, "x")).items
    assert (last.parent_id, last.depth) == (None, 0)
    await messages.remove(ME, "x", named(last))
    assert (await conversations.get(ME, "x")).head_message_id is None
    with pytest.raises(NotFound):
        await messages.remove(ME, "x", named(last))


async def test_a_message_that_goes_meanwhile_is_told_as_missing(
    conversations: Conversations, pool: Database, talk: Conversation
) -> None:
    [message] = await stored_branch(pool, talk, "0")

    class Late(ItemTable):
        async def remove(
            self, owner_id: str, conversation_id: ConversationId, message_id: MessageId
        ) -> bool:
            return False

    late = Messages(MessageTree(pool), Late(pool), conversations)
    with pytest.raises(NotFound):
        await late.remove(ME, "x", named(message))


def user(text: str) -> Message:
    return Message(Role.USER, (Text(text),))


def answer(text: str) -> Message:
    return Message(Role.ASSISTANT, (Text(text),))

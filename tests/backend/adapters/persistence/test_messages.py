"""The tree of messages in Postgres: branches, additions, deletions, copies."""

import re
from typing import Any

import asyncpg
import msgspec
import pytest
from sqlalchemy import select
from sqlalchemy.dialects import postgresql
from tests.harness.database import TemporaryDatabase
from tests.harness.rows import (
    ANN,
    BOB,
    a_conversation,
    a_message,
    counted,
    execute,
    long_branch,
    stored_branch,
    stored_conversation,
    stored_run,
)

from cartrita.adapters.persistence import branches
from cartrita.adapters.persistence.conversation_removal import ConversationRemover
from cartrita.adapters.persistence.conversations import ConversationTable
from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.messages import MessageTree
from cartrita.adapters.persistence.tables.conversations import messages
from cartrita.domain.conversations import Conversation
from cartrita.domain.errors import Conflict, NotFound
from cartrita.domain.ids import MessageId, RunId
from cartrita.domain.messages import (
    Attachment,
    Citation,
    Message,
    MessageStatus,
    Reasoning,
    Role,
    StoredMessage,
    Text,
    ToolCall,
    ToolResult,
)
from cartrita.domain.usage import Usage
from cartrita.kit.ids import public, uuid7

RICH = (
    Reasoning("Hm.", signature="s", origin="o"),
    Text("Look: "),
    ToolCall("c1", "search", {"q": "x", "n": [1, 2.5, None]}),
    ToolResult("c1", (Text("found"),), name="search", success=False),
    Citation("A page", url="https://example.org", snippet="…", index=2),
    Attachment("image/png", attachment_id="a", name="p.png"),
    Text("\U0001f600 done"),
)


@pytest.fixture
def tree(pool: Database) -> MessageTree:
    return MessageTree(pool)


@pytest.fixture
async def talk(pool: Database) -> Conversation:
    return await stored_conversation(pool)


async def head(pool: Database, conversation: Conversation) -> MessageId | None:
    found = await ConversationTable(pool).find(
        conversation.owner_id, public("conv", conversation.id)
    )
    assert found is not None
    return found.head_message_id


def texts(branch: list[StoredMessage]) -> list[str]:
    return [message.message.text for message in branch]


async def test_what_is_stored_comes_back_whole(
    tree: MessageTree, pool: Database, talk: Conversation
) -> None:
    message = a_message(
        talk,
        "",
        message=Message(Role.ASSISTANT, RICH),
        status=MessageStatus.PARTIAL,
        run_id=RunId(uuid7()),
        model="m",
        provider="p",
        usage=Usage(1, 2, 3, 4, 5, estimated=True),
        edited=True,
        metadata={"k": ["v"]},
    )
    await tree.add(message, ANN)
    assert await tree.get(ANN, message.id) == message
    assert await head(pool, talk) == message.id


async def test_a_branch_is_the_way_from_the_tip_to_the_root(
    tree: MessageTree, pool: Database, talk: Conversation
) -> None:
    main = await stored_branch(pool, talk, "q0", "a1", "q2", "a3")
    side = await stored_branch(pool, talk, "q2b", "a3b", parent=main[1])
    assert texts(await tree.branch(ANN, main[3].id, 10)) == ["a3", "q2", "a1", "q0"]
    assert texts(await tree.branch(ANN, side[1].id, 10)) == ["a3b", "q2b", "a1", "q0"]
    assert texts(await tree.branch(ANN, side[1].id, 3)) == ["a3b", "q2b", "a1"]
    assert texts(await tree.branch(ANN, main[1].id, 10)) == ["a1", "q0"]
    assert await head(pool, talk) == side[1].id


@pytest.mark.parametrize("siblings", [False, True])
@pytest.mark.parametrize(
    ("below", "limit", "expected"),
    [
        (6, 2, ["5", "4"]),
        (5, 3, ["4", "3", "2"]),
        (2, 5, ["1", "0"]),
        (1, 5, ["0"]),
        (0, 5, []),
        (7, 1, ["5"]),
        (10**12, 2, ["5", "4"]),
    ],
)
async def test_a_branch_below_a_depth(
    tree: MessageTree,
    pool: Database,
    talk: Conversation,
    siblings: bool,
    below: int,
    limit: int,
    expected: list[str],
) -> None:
    main = await stored_branch(pool, talk, "0", "1", "2", "3", "4", "5")
    if siblings:  # no depth is left with one message: the walk begins at the tip
        await stored_branch(pool, talk, *("other " + str(n) for n in range(6)))
    found = await tree.branch(ANN, main[-1].id, limit, below)
    assert texts(found) == expected


async def test_a_page_begins_where_the_conversation_is_narrow(
    tree: MessageTree, pool: Database, talk: Conversation, database: TemporaryDatabase
) -> None:
    tip = await long_branch(database.dsn, talk, 2000)
    parent = (await tree.branch(ANN, tip, 1, below_depth=1000))[0]
    await stored_branch(pool, talk, "side", "side", parent=parent)
    await execute(database.dsn, "ANALYZE messages")
    found = await tree.branch(ANN, tip, 3, below_depth=1001)
    assert texts(found) == ["number 1000", "number 999", "number 998"]
    steps = await _rows_walked(database.dsn, tip, limit=3, below=1001)
    assert steps < 3 + 4 + branches._SINGLE_SEARCH_DEPTH


async def test_a_branch_costs_its_page_and_not_its_conversation(
    talk: Conversation, database: TemporaryDatabase
) -> None:
    tip = await long_branch(database.dsn, talk, 10_000)
    await execute(database.dsn, "ANALYZE messages")
    assert await _rows_walked(database.dsn, tip, limit=50, below=None) == 50
    assert await _rows_walked(database.dsn, tip, limit=50, below=5000) == 50


async def _rows_walked(dsn: str, tip: MessageId, *, limit: int, below: int | None) -> int:
    """How many messages the recursion visits, as Postgres counts them; none by a whole scan."""
    page = branches.page(ANN, tip, limit, below)
    query = select(messages.c.id).join(page, messages.c.id == page.c.id)
    compiled = query.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True})
    connection: Any = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch(f"EXPLAIN (ANALYZE, TIMING OFF) {compiled}")
    finally:
        await connection.close()
    plan = "\n".join(row[0] for row in rows)
    assert "Seq Scan on messages" not in plan
    found = re.search(r"Recursive Union.*\(actual rows=(\d+)", plan)
    assert found is not None
    return int(found[1])


async def test_messages_that_wait_for_their_run_are_not_here(
    tree: MessageTree, pool: Database, talk: Conversation, database: TemporaryDatabase
) -> None:
    [first] = await stored_branch(pool, talk, "first")
    await execute(database.dsn, "UPDATE messages SET status = 'queued' WHERE id = $1", first.id)
    assert await tree.get(ANN, first.id) is None
    assert await tree.branch(ANN, first.id, 5) == []
    with pytest.raises(NotFound):
        await tree.copy(ANN, first.id, a_conversation())


async def test_others_see_nothing_of_it(
    tree: MessageTree, pool: Database, talk: Conversation
) -> None:
    [first, second] = await stored_branch(pool, talk, "first", "second")
    bobs = await stored_conversation(pool, BOB)
    assert await tree.get(BOB, first.id) is None
    assert await tree.branch(BOB, second.id, 5) == []
    assert await tree.branch(BOB, second.id, 5, below_depth=1) == []
    assert not await tree.delete(BOB, first.id)
    with pytest.raises(NotFound):
        await tree.copy(BOB, second.id, a_conversation(BOB))
    with pytest.raises(NotFound):
        await tree.add(a_message(talk, "Bob was here", second), BOB)
    with pytest.raises(NotFound):  # a parent of another owner
        await tree.add(a_message(bobs, "Bob was here", second), BOB)
    assert texts(await tree.branch(ANN, second.id, 5)) == ["second", "first"]
    assert await head(pool, talk) == second.id
    assert (await ConversationTable(pool).find(BOB, public("conv", bobs.id))) == bobs


@pytest.mark.parametrize(("depth", "with_parent"), [(5, True), (0, True), (1, False)])
async def test_a_message_must_fit_its_parent(
    tree: MessageTree, pool: Database, talk: Conversation, depth: int, with_parent: bool
) -> None:
    [first] = await stored_branch(pool, talk, "first")
    parent_id = first.id if with_parent else None
    misfit = msgspec.structs.replace(
        a_message(talk, "second", first), depth=depth, parent_id=parent_id
    )
    with pytest.raises(NotFound):
        await tree.add(misfit, ANN)
    assert await head(pool, talk) == first.id


async def test_a_parent_of_another_conversation_is_none(
    tree: MessageTree, pool: Database, talk: Conversation
) -> None:
    [first] = await stored_branch(pool, talk, "first")
    other = await stored_conversation(pool)
    with pytest.raises(NotFound):
        await tree.add(a_message(other, "second", first), ANN)


async def test_deleting_takes_everything_that_followed(
    tree: MessageTree, pool: Database, talk: Conversation, database: TemporaryDatabase
) -> None:
    main = await stored_branch(pool, talk, "q0", "a1", "q2", "a3")
    side = await stored_branch(pool, talk, "q2b", "a3b", parent=main[1])
    kept = await stored_run(database.dsn, talk, main[0].id, main[1].id)
    await stored_run(database.dsn, talk, main[2].id, main[3].id)
    await stored_run(database.dsn, talk, side[0].id, side[1].id, status="cancelled")
    await stored_run(database.dsn, talk, side[0].id, status="failed")
    assert await tree.delete(ANN, main[2].id)
    assert await head(pool, talk) == side[1].id  # on another branch
    assert await counted(database.dsn) == {
        "conversations": 1,
        "messages": 4,
        "runs": 3,
        "run_events": 9,
        "run_logs": 3,
        "idempotency": 3,
    }
    assert await tree.delete(ANN, side[0].id)
    assert await head(pool, talk) == main[1].id
    assert (await counted(database.dsn))["runs"] == 1
    assert await _runs(database.dsn) == [kept]
    assert await tree.delete(ANN, main[0].id)
    assert await head(pool, talk) is None
    assert set((await counted(database.dsn)).values()) == {0, 1}
    assert not await tree.delete(ANN, main[0].id)


async def test_deleting_an_answer_keeps_the_question(
    tree: MessageTree, pool: Database, talk: Conversation, database: TemporaryDatabase
) -> None:
    [question, answer] = await stored_branch(pool, talk, "q0", "a1")
    await stored_run(database.dsn, talk, question.id, answer.id)
    assert await tree.delete(ANN, answer.id)
    assert await head(pool, talk) == question.id
    assert (await counted(database.dsn))["run_events"] == 0


async def test_nothing_is_deleted_while_something_is_answered(
    tree: MessageTree, pool: Database, talk: Conversation, database: TemporaryDatabase
) -> None:
    [question, answer] = await stored_branch(pool, talk, "q0", "a1")
    for status in ("queued", "running", "waiting"):
        run_id = await stored_run(database.dsn, talk, question.id, status=status)
        with pytest.raises(Conflict) as refusal:
            await tree.delete(ANN, answer.id)
        assert refusal.value.code == "conversation_busy"
        await execute(database.dsn, "UPDATE runs SET status = 'failed' WHERE id = $1", run_id)
    assert await tree.delete(ANN, answer.id)


async def test_a_long_branch_is_deleted_and_copied_whole(
    tree: MessageTree, pool: Database, talk: Conversation, database: TemporaryDatabase
) -> None:
    tip = await long_branch(database.dsn, talk, 3000)
    copy = await tree.copy(ANN, tip, a_conversation())
    assert copy.head_message_id is not None
    assert len(await tree.branch(ANN, copy.head_message_id, 5000)) == 3000
    root = (await tree.branch(ANN, tip, 1, below_depth=1))[0]
    assert await tree.delete(ANN, root.id)
    assert (await counted(database.dsn))["messages"] == 3000


async def test_a_copy_is_the_same_under_fresh_ids(
    tree: MessageTree, pool: Database, talk: Conversation
) -> None:
    [first] = await stored_branch(pool, talk, "q0")
    answer = a_message(
        talk,
        "",
        first,
        message=Message(Role.ASSISTANT, RICH),
        status=MessageStatus.PARTIAL,
        run_id=RunId(uuid7()),
        model="m",
        provider="p",
        usage=Usage(10, 20),
        metadata={"k": 1},
    )
    await tree.add(answer, ANN)
    await stored_branch(pool, talk, "q2", parent=answer)
    into = a_conversation(title="Copy")
    copy = await tree.copy(ANN, answer.id, into)
    assert await ConversationTable(pool).find(ANN, public("conv", into.id)) == copy
    assert copy.head_message_id is not None
    copied = await tree.branch(ANN, copy.head_message_id, 10)
    assert [m.message for m in copied] == [answer.message, first.message]
    assert [m.created_at for m in copied] == [answer.created_at, first.created_at]
    assert [m.parent_id for m in copied] == [copied[1].id, None]
    assert copied[0].usage == Usage(10, 20)
    assert (copied[0].model, copied[0].provider, copied[0].metadata) == ("m", "p", {"k": 1})
    assert copied[0].status is MessageStatus.PARTIAL
    assert copied[0].run_id is None
    assert {m.id for m in copied}.isdisjoint({first.id, answer.id})
    assert {m.conversation_id for m in copied} == {into.id}


async def test_a_copy_of_nothing_leaves_nothing(
    tree: MessageTree, database: TemporaryDatabase
) -> None:
    with pytest.raises(NotFound):
        await tree.copy(ANN, MessageId(uuid7()), a_conversation())
    assert (await counted(database.dsn))["conversations"] == 0


async def test_a_hidden_conversation_hides_its_messages(
    tree: MessageTree, pool: Database, talk: Conversation
) -> None:
    [first, second] = await stored_branch(pool, talk, "first", "second")
    await ConversationRemover(pool).hide(ANN, talk.id)
    assert await tree.get(ANN, first.id) is None
    assert not await tree.delete(ANN, first.id)
    with pytest.raises(NotFound):
        await tree.add(a_message(talk, "third", second), ANN)


async def _runs(dsn: str) -> list[Any]:
    connection: Any = await asyncpg.connect(dsn)
    try:
        return [row["id"] for row in await connection.fetch("SELECT id FROM runs")]
    finally:
        await connection.close()

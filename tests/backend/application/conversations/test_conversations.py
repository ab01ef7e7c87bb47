"""Use cases of conversations, on their real stores."""

from collections.abc import AsyncGenerator
from typing import Any, cast
from uuid import UUID

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
from cartrita.adapters.persistence.conversations import ConversationTable
from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.messages import MessageTree
from cartrita.application.conversations.conversations import (
    METADATA_MAX_BYTES,
    NESTING_MAX,
    PAGE_MAX,
    TAG_MAX,
    TAGS_MAX,
    TITLE_MAX,
    Conversations,
)
from cartrita.domain.conversations import Conversation, ConversationChange, ConversationFilter
from cartrita.domain.errors import CartritaError, Conflict, InvalidInput, NotFound
from cartrita.domain.ids import ConversationId, RunId
from cartrita.domain.ports.runs import RunCancellation, RunReader
from cartrita.domain.principals import Principal
from cartrita.kit.ids import public, uuid7

ME, OTHER = Principal(ANN, "key"), Principal(BOB, "key")


class RunsOfNobody:
    """Active runs as the test says; remembers what was cancelled, and ends it."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self.running: list[UUID] = []
        self.gone: list[UUID] = []
        self.cancelled: list[tuple[str, UUID]] = []

    async def active(self, owner_id: str, conversation_id: ConversationId) -> list[RunId]:
        return [RunId(run_id) for run_id in (*self.gone, *self.running)]

    async def cancel(self, owner_id: str, run_id: RunId) -> None:
        if run_id in self.gone:
            raise NotFound("There is no such run.")
        self.cancelled.append((owner_id, run_id))
        await execute(self._dsn, "UPDATE runs SET status = 'cancelled' WHERE id = $1", run_id)


@pytest.fixture
async def pool(database: TemporaryDatabase) -> AsyncGenerator[Database]:
    made = Database(database.dsn, pool_size=4)
    yield made
    await made.close()


@pytest.fixture
def runs(database: TemporaryDatabase) -> RunsOfNobody:
    return RunsOfNobody(database.dsn)


@pytest.fixture
def conversations(pool: Database, runs: RunsOfNobody) -> Conversations:
    return serving(ConversationTable(pool), pool, runs)


def serving(table: ConversationTable, pool: Database, runs: object) -> Conversations:
    return Conversations(
        table,
        ConversationRemover(pool),
        MessageTree(pool),
        cast("RunReader", runs),
        cast("RunCancellation", runs),
    )


async def texts(conversations: Conversations, public_id: str) -> list[str]:
    _, messages = await conversations.transcript(ME, public_id)
    return [message.message.text async for message in messages]


def nested(depth: int) -> Any:
    value: Any = 1
    for n in range(depth):
        value = [value] if n % 2 else {"k": value}
    return value


async def refused(field: str, trying: Any) -> None:
    with pytest.raises(InvalidInput) as refusal:
        await trying
    assert list(refusal.value.fields) == [field]
    assert refusal.value.message.startswith(f"{field}: ")


async def test_a_new_one_is_the_callers(conversations: Conversations) -> None:
    made = await conversations.create(
        ME, title="  My\n title ", tags=[" a ", "b", "a"], metadata={"k": 1}, external_id="mine"
    )
    assert (made.owner_id, made.title, made.tags) == (ANN, "My title", ("a", "b"))
    assert made.metadata == {"k": 1}
    assert await conversations.get(ME, "mine") == made
    assert await conversations.get(ME, public("conv", made.id)) == made


@pytest.mark.parametrize("title", [None, "", "  \n", "\x00"])
async def test_without_a_title_it_is_new(conversations: Conversations, title: str | None) -> None:
    assert (await conversations.create(ME, title=title)).title == "New conversation"


async def test_text_is_made_storable(conversations: Conversations) -> None:
    made = await conversations.create(
        ME, title="a\x00b\ud83d\ude00\ud800", tags=["t\x00"], metadata={"k\x00": ["\udfff"]}
    )
    assert (made.title, made.tags) == ("ab\U0001f600�", ("t",))
    assert made.metadata == {"k": ["�"]}
    assert await conversations.get(ME, public("conv", made.id)) == made


async def test_what_is_too_large_or_no_name_is_refused_by_its_field(
    conversations: Conversations, subtests: pytest.Subtests
) -> None:
    deep = nested(5000)
    wrong: list[tuple[str, Any]] = [
        ("title", "x" * (TITLE_MAX + 1)),
        ("tags", [str(n) for n in range(TAGS_MAX + 1)]),
        ("tags", ["x" * (TAG_MAX + 1)]),
        ("tags", ["a", " "]),
        ("metadata", {"k": "x" * METADATA_MAX_BYTES}),
        ("metadata", {"k": deep}),
        ("metadata", {"k": nested(NESTING_MAX)}),
        ("external_id", " "),
        ("external_id", "x" * 201),
        ("external_id", "x\x00"),
        ("external_id", "a/b"),
        ("external_id", "a?b"),
        ("external_id", "a#b"),
        ("external_id", ".."),
        ("external_id", "\ud800"),
    ]
    for field, value in wrong:
        with subtests.test(field):
            await refused(field, conversations.create(ME, **{field: value}))
    assert (await conversations.list(ME, ConversationFilter())).items == []


async def test_the_largest_is_accepted(conversations: Conversations) -> None:
    made = await conversations.create(
        ME,
        title="x" * TITLE_MAX,
        tags=[f"{n:0{TAG_MAX}}" for n in range(TAGS_MAX)],
        metadata={"k": "x" * (METADATA_MAX_BYTES - len('{"k":""}'))},
        external_id="x" * 200,
    )
    assert await conversations.get(ME, public("conv", made.id)) == made
    deep = {"k": nested(NESTING_MAX - 1), "number": 2**70}
    made = await conversations.create(ME, metadata=deep)
    assert (await conversations.get(ME, public("conv", made.id))).metadata == deep


async def test_a_name_is_taken_once(conversations: Conversations) -> None:
    await conversations.create(ME, external_id="mine")
    await conversations.create(OTHER, external_id="mine")
    with pytest.raises(Conflict):
        await conversations.create(ME, external_id="mine")


async def test_changes_are_checked_and_made(conversations: Conversations) -> None:
    made = await conversations.create(ME, title="Old", tags=["a"])
    name = public("conv", made.id)
    changed = await conversations.change(
        ME, name, ConversationChange(title=" New ", tags=("b", "b"), metadata={"k": "\x00"})
    )
    assert (changed.title, changed.tags, changed.metadata) == ("New", ("b",), {"k": ""})
    await conversations.change(ME, name, ConversationChange(pinned=True))
    for field, change in {
        "title": ConversationChange(title=" "),
        "tags": ConversationChange(tags=("",)),
        "metadata": ConversationChange(metadata={"k": "x" * METADATA_MAX_BYTES}),
    }.items():
        await refused(field, conversations.change(ME, name, change))
    assert (await conversations.get(ME, name)).title == "New"


async def test_lists_are_the_callers_in_pages(conversations: Conversations) -> None:
    made = {(await conversations.create(ME, tags=["t"])).id for _ in range(5)}
    await conversations.create(OTHER, tags=["t"])
    first = await conversations.list(ME, ConversationFilter(tag="t\x00"), 3)
    second = await conversations.list(ME, ConversationFilter(tag="t"), 3, first.next_cursor)
    assert {c.id for c in (*first.items, *second.items)} == made
    assert second.next_cursor is None
    for limit in (0, -1, PAGE_MAX + 1):
        await refused("limit", conversations.list(ME, ConversationFilter(), limit))


async def test_nobody_elses_is_there(
    conversations: Conversations, pool: Database, runs: RunsOfNobody
) -> None:
    made = await conversations.create(ME, external_id="mine")
    [message] = await stored_branch(pool, made, "hello")
    made = await conversations.get(ME, "mine")
    for name in ("mine", public("conv", made.id), "nonsense", "conv_" + "0" * 32):
        for trying in (
            conversations.get(OTHER, name),
            conversations.change(OTHER, name, ConversationChange(title="x")),
            conversations.delete(OTHER, name),
            conversations.fork(OTHER, name),
            conversations.fork(OTHER, name, public("msg", message.id)),
            conversations.transcript(OTHER, name),
        ):
            with pytest.raises(NotFound) as refusal:
                await trying
            assert refusal.value.code == "conversation_not_found"
    assert await conversations.get(ME, "mine") == made
    assert runs.cancelled == []


async def test_deleting_cancels_and_deletes(
    conversations: Conversations,
    pool: Database,
    runs: RunsOfNobody,
    database: TemporaryDatabase,
) -> None:
    made = await conversations.create(ME, external_id="mine")
    [message] = await stored_branch(pool, made, "hello")
    runs.running = [await stored_run(database.dsn, made, message.id, status="running")]
    runs.gone = [uuid7()]
    await conversations.delete(ME, "mine")
    assert runs.cancelled == [(ANN, runs.running[0])]
    assert set((await counted(database.dsn)).values()) == {0}
    with pytest.raises(NotFound):
        await conversations.delete(ME, "mine")


async def test_a_fork_is_the_whole_branch_or_its_beginning(
    conversations: Conversations, pool: Database
) -> None:
    made = await conversations.create(ME, title="T", tags=["a"], metadata={"k": 1}, external_id="x")
    branch = await stored_branch(pool, made, "q0", "a1", "q2", "a3")
    await stored_branch(pool, made, "q2b", parent=branch[1])
    whole = await conversations.fork(ME, "x")
    early = await conversations.fork(ME, "x", public("msg", branch[1].id))
    other = await conversations.fork(ME, "x", str(branch[3].id))
    assert await texts(conversations, public("conv", whole.id)) == ["q0", "a1", "q2b"]
    assert await texts(conversations, public("conv", early.id)) == ["q0", "a1"]
    assert await texts(conversations, public("conv", other.id)) == ["q0", "a1", "q2", "a3"]
    assert (whole.title, whole.tags, whole.metadata, whole.external_id) == (
        "T",
        ("a",),
        {"k": 1},
        None,
    )
    assert await conversations.get(ME, public("conv", whole.id)) == whole


async def test_an_empty_one_forks_to_an_empty_one(conversations: Conversations) -> None:
    await conversations.create(ME, external_id="x")
    fork = await conversations.fork(ME, "x")
    assert await conversations.get(ME, public("conv", fork.id)) == fork
    assert await texts(conversations, public("conv", fork.id)) == []


async def test_a_fork_begins_at_a_message_of_the_conversation(
    conversations: Conversations, pool: Database
) -> None:
    await conversations.create(ME, external_id="x")
    elsewhere = await stored_conversation(pool)
    [message] = await stored_branch(pool, elsewhere, "q0")
    for name in (public("msg", message.id), "nonsense", public("msg", uuid7())):
        with pytest.raises(NotFound) as refusal:
            await conversations.fork(ME, "x", name)
        assert refusal.value.code == "message_not_found"


@pytest.mark.parametrize("length", [199, 200, 401])
async def test_a_transcript_is_whole_whatever_its_length(
    conversations: Conversations, database: TemporaryDatabase, length: int
) -> None:
    made = await conversations.create(ME, external_id="x")
    await long_branch(database.dsn, made, length)
    assert await texts(conversations, "x") == [f"number {n}" for n in range(length)]


class Forgetful(ConversationTable):
    """Finds what is gone a moment later."""

    async def change(
        self, owner_id: str, conversation_id: ConversationId, change: ConversationChange
    ) -> Conversation | None:
        return None


async def test_one_deleted_while_it_is_changed(pool: Database, runs: RunsOfNobody) -> None:
    conversations = serving(Forgetful(pool), pool, runs)
    await conversations.create(ME, external_id="x")
    with pytest.raises(CartritaError) as refusal:
        await conversations.change(ME, "x", ConversationChange(title="y"))
    assert refusal.value.code == "conversation_not_found"

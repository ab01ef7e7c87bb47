"""Conversations in Postgres: whose they are, in which order, and what of them can be changed."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.harness.rows import ANN, BEGIN, BOB, a_conversation, stored_conversation

from cartrita.adapters.persistence.conversation_removal import ConversationRemover
from cartrita.adapters.persistence.conversations import ConversationTable
from cartrita.adapters.persistence.database import Database
from cartrita.domain.conversations import Conversation, ConversationChange, ConversationFilter
from cartrita.domain.errors import Conflict, InvalidInput
from cartrita.kit import pagination
from cartrita.kit.ids import public

EVERY = ConversationFilter(archived=None)


@pytest.fixture
def table(pool: Database) -> ConversationTable:
    return ConversationTable(pool)


async def listed(table: ConversationTable, filter_: ConversationFilter = EVERY) -> list[str]:
    page = await table.list(ANN, filter_, 50, None)
    return [conversation.title for conversation in page.items]


async def test_what_is_stored_comes_back_whole(table: ConversationTable) -> None:
    made = a_conversation(
        external_id="mine",
        archived=True,
        pinned=True,
        tags=("a", "b"),
        metadata={"deep": [1, {"x": None, "ü": "\U0001f600"}], "n": 2**60},
    )
    await table.create(made)
    assert await table.find(ANN, public("conv", made.id)) == made


async def test_it_is_found_by_both_its_names(table: ConversationTable) -> None:
    made = a_conversation(external_id="user_123_conv_1")
    await table.create(made)
    for name in ("user_123_conv_1", public("conv", made.id), str(made.id)):
        assert await table.find(ANN, name) == made


async def test_an_external_id_may_look_like_an_id(table: ConversationTable) -> None:
    name = "0192d3f0-0000-7000-8000-000000000000"
    made = a_conversation(external_id=name)
    await table.create(made)
    assert await table.find(ANN, name) == made


async def test_no_name_is_an_error(table: ConversationTable) -> None:
    for name in ("", "x\x00y", "\ud800", "conv_", "' OR 1=1 --", "x" * 10_000):
        assert await table.find(ANN, name) is None


async def test_others_see_nothing_of_it(table: ConversationTable, pool: Database) -> None:
    made = await stored_conversation(pool, external_id="mine")
    assert await table.find(BOB, "mine") is None
    assert await table.find(BOB, public("conv", made.id)) is None
    assert await table.change(BOB, made.id, ConversationChange(title="Bob was here")) is None
    assert await table.change(BOB, made.id, ConversationChange()) is None
    assert (await table.list(BOB, EVERY, 50, None)).items == []
    assert await table.find(ANN, public("conv", made.id)) == made


async def test_two_owners_may_use_one_name(table: ConversationTable, pool: Database) -> None:
    ann = await stored_conversation(pool, ANN, external_id="same")
    bob = await stored_conversation(pool, BOB, external_id="same")
    assert await table.find(ANN, "same") == ann
    assert await table.find(BOB, "same") == bob


async def test_a_name_is_taken_once(table: ConversationTable, pool: Database) -> None:
    await stored_conversation(pool, external_id="same")
    with pytest.raises(Conflict, match="already"):
        await table.create(a_conversation(external_id="same"))


async def test_pinned_first_then_the_latest_change(table: ConversationTable) -> None:
    for hours, (title, pinned) in enumerate(
        [("old", False), ("old pinned", True), ("new", False), ("new pinned", True)]
    ):
        moment = BEGIN + timedelta(hours=hours)
        await table.create(a_conversation(title=title, pinned=pinned, updated_at=moment))
    assert await listed(table) == ["new pinned", "old pinned", "new", "old"]


async def test_filters(table: ConversationTable) -> None:
    await table.create(a_conversation(title="plain"))
    await table.create(a_conversation(title="archived", archived=True, tags=("x", "y")))
    await table.create(a_conversation(title="pinned", pinned=True, tags=("x",)))
    assert set(await listed(table, ConversationFilter())) == {"plain", "pinned"}
    assert await listed(table, ConversationFilter(archived=True)) == ["archived"]
    assert await listed(table, ConversationFilter(pinned=False)) == ["plain"]
    assert await listed(table, ConversationFilter(archived=None, tag="y")) == ["archived"]
    assert set(await listed(table, ConversationFilter(archived=None, tag="x"))) == {
        "archived",
        "pinned",
    }
    assert await listed(table, ConversationFilter(tag="none such")) == []


async def test_pages_hold_every_conversation_once(table: ConversationTable) -> None:
    made = [
        # Equal moments: the id decides.
        a_conversation(pinned=n % 3 == 0, updated_at=BEGIN + timedelta(seconds=n // 4))
        for n in range(23)
    ]
    for conversation in made:
        await table.create(conversation)
    seen: list[Conversation] = []
    cursor = None
    while True:
        page = await table.list(ANN, EVERY, 5, cursor)
        seen += page.items
        cursor = page.next_cursor
        if cursor is None:
            break
        assert len(page.items) == 5
    key = [(c.pinned, c.updated_at, c.id) for c in seen]
    assert key == sorted(((c.pinned, c.updated_at, c.id) for c in made), reverse=True)


async def test_a_page_that_ends_exactly_has_no_next_one(table: ConversationTable) -> None:
    for _ in range(5):
        await table.create(a_conversation())
    assert (await table.list(ANN, EVERY, 5, None)).next_cursor is None


async def test_a_cursor_of_nobody_is_refused(table: ConversationTable) -> None:
    moment, identity = "2026-11-21T00:00:00+00:00", a_conversation().id.hex
    for cursor in (
        "",
        "%%%",
        "\ud800",
        pagination.encode_cursor(1),
        pagination.encode_cursor(True, "yesterday", identity),
        pagination.encode_cursor(True, moment, "x"),
        pagination.encode_cursor(True, "0001-01-01T00:00:00+14:00", identity),
        pagination.encode_cursor("t", moment, identity),
    ):
        with pytest.raises(InvalidInput) as refusal:
            await table.list(ANN, EVERY, 5, cursor)
        assert list(refusal.value.fields) == ["cursor"]


async def test_a_change_changes_what_it_names(table: ConversationTable, pool: Database) -> None:
    made = await stored_conversation(pool, tags=("a",), metadata={"a": 1}, archived=True)
    change = ConversationChange(title="New", pinned=True, archived=False)
    changed = await table.change(ANN, made.id, change)
    assert changed is not None
    assert (changed.title, changed.pinned, changed.archived) == ("New", True, False)
    assert (changed.tags, changed.metadata) == (("a",), {"a": 1})
    assert changed.updated_at > made.updated_at
    assert changed == await table.find(ANN, public("conv", made.id))
    emptied = await table.change(ANN, made.id, ConversationChange(tags=(), metadata={}))
    assert emptied is not None
    assert (emptied.tags, emptied.metadata) == ((), {})


async def test_a_change_of_nothing_changes_nothing(
    table: ConversationTable, pool: Database
) -> None:
    made = await stored_conversation(pool)
    assert await table.change(ANN, made.id, ConversationChange()) == made


async def test_a_hidden_one_is_nowhere(table: ConversationTable, pool: Database) -> None:
    made = await stored_conversation(pool, external_id="mine")
    assert await ConversationRemover(pool).hide(ANN, made.id)
    assert await table.find(ANN, public("conv", made.id)) is None
    assert await table.find(ANN, "mine") is None
    assert await table.find(ANN, public("conv", made.id)) is None
    assert await table.change(ANN, made.id, ConversationChange(title="x")) is None
    assert await listed(table) == []
    await table.create(a_conversation(external_id="mine"))  # its name is free again


async def test_moments_come_back_aware(table: ConversationTable, pool: Database) -> None:
    made = await stored_conversation(pool, created_at=datetime(2026, 1, 1, tzinfo=UTC))
    found = await table.find(ANN, public("conv", made.id))
    assert found is not None
    assert found.created_at.utcoffset() == timedelta(0)

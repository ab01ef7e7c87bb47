"""Where messages are placed in the tree of a conversation, and its title."""

from typing import Any

import msgspec
import pytest
from tests.backend.adapters.runlog.executions import claim_next, complete_run
from tests.backend.adapters.runlog.fixtures import (
    Cluster,
    admission,
    insert_conversation,
    insert_message,
    user_message,
)
from tests.backend.adapters.runlog.watchdog import within

from cartrita.domain.errors import Conflict
from cartrita.domain.ids import MessageId
from cartrita.domain.messages import Message, Part, Role, Text, ToolCall, ToolResult
from cartrita.domain.runs import NewMessage


async def tree(cluster: Cluster) -> dict[str, tuple[str | None, int]]:
    """The parent's text and the depth of each message, by its text."""
    rows = await cluster.rows(
        "SELECT cartrita_text(m.parts) AS text, m.depth,"
        " CASE WHEN p.id IS NOT NULL THEN cartrita_text(p.parts) END AS parent"
        " FROM messages m LEFT JOIN messages p ON p.id = m.parent_id"
    )
    return {row["text"]: (row["parent"], row["depth"]) for row in rows}


async def head(cluster: Cluster) -> str:
    return await cluster.value(
        "SELECT cartrita_text(m.parts) FROM conversations c JOIN messages m"
        " ON m.id = c.head_message_id"
    )


async def message_with_text(cluster: Cluster, text: str) -> MessageId:
    return await cluster.value("SELECT id FROM messages WHERE cartrita_text(parts) = $1", text)


async def test_a_queued_message_is_placed_when_its_run_starts(cluster: Cluster) -> None:
    async with cluster.replica() as log:
        first = await log.admission.admit(admission("one?"))
        into: dict[str, Any] = {"conversation_id": first.conversation_id}
        await log.admission.admit(admission("two?", **into))
        await log.admission.admit(admission("three?", **into))
        for answer in ("one!", "two!", "three!"):
            execution = await claim_next(log)
            await execution.write(answer)
            await execution.complete()
    assert await tree(cluster) == {
        "one?": (None, 0),
        "one!": ("one?", 1),
        "two?": ("one!", 2),
        "two!": ("two?", 3),
        "three?": ("two!", 4),
        "three!": ("three?", 5),
    }
    assert await head(cluster) == "three!"


async def test_an_edit_of_the_first_message_makes_a_second_root(cluster: Cluster) -> None:
    async with cluster.replica() as log:
        run = await complete_run(log, "old!", text="old?")
        conversation = await cluster.value("SELECT conversation_id FROM runs WHERE id = $1", run)
        edit = NewMessage(
            message=user_message("new?"), at_root=True, edited=True, metadata={"n": 1}
        )
        await log.admission.admit(admission(conversation_id=conversation, new_message=edit))
        execution = await claim_next(log)
        await execution.write("new!")
        await execution.complete()
    assert await tree(cluster) == {
        "old?": (None, 0),
        "old!": ("old?", 1),
        "new?": (None, 0),
        "new!": ("new?", 1),
    }
    assert await head(cluster) == "new!"
    [edited] = await cluster.rows("SELECT metadata FROM messages WHERE edited")
    assert edited["metadata"] == '{"n": 1}'


async def test_a_given_parent_is_kept_when_the_head_has_moved(cluster: Cluster) -> None:
    async with cluster.replica() as log:
        run = await complete_run(log, "one!", text="one?")
        conversation = await cluster.value("SELECT conversation_id FROM runs WHERE id = $1", run)
        into: dict[str, Any] = {"conversation_id": conversation}
        await complete_run(log, "two!", text="two?", **into)
        parent = await message_with_text(cluster, "one!")
        pinned = NewMessage(message=user_message("other?"), parent_id=parent)
        await log.admission.admit(admission(new_message=pinned, **into))
        execution = await claim_next(log)
        await execution.write("other!")
        await execution.complete()
        places = await tree(cluster)
        assert places["other?"] == ("one!", 2)
        assert places["other!"] == ("other?", 3)
        assert await head(cluster) == "other!"
        await complete_run(log, "next!", text="next?", **into)
    assert (await tree(cluster))["next?"] == ("other!", 4)


def chain(*texts: str, **values: Any) -> NewMessage:
    *before, last = (user_message(text) for text in texts)
    return NewMessage(message=last, before=tuple(before), **values)


async def test_several_messages_are_placed_one_below_the_other(cluster: Cluster) -> None:
    async with cluster.replica() as log:
        new = chain("one?", "two?", "three?", edited=True, metadata={"n": 1})
        first = await log.admission.admit(admission(new_message=new))
        into: dict[str, Any] = {"conversation_id": first.conversation_id}
        await log.admission.admit(admission(new_message=chain("four?", "five?"), **into))
        await log.admission.admit(admission(new_message=chain("x?", "y?", at_root=True), **into))
        for answer in ("three!", "five!", "y!"):
            execution = await claim_next(log)
            await execution.write(answer)
            await execution.complete()
        below = await message_with_text(cluster, "two?")
        pinned = chain("a?", "b?", parent_id=below)
        await log.admission.admit(admission(new_message=pinned, **into))
        assert await head(cluster) == "b?"
    assert await tree(cluster) == {
        "one?": (None, 0),
        "two?": ("one?", 1),
        "three?": ("two?", 2),
        "three!": ("three?", 3),
        "four?": ("three!", 4),
        "five?": ("four?", 5),
        "five!": ("five?", 6),
        "x?": (None, 0),
        "y?": ("x?", 1),
        "y!": ("y?", 2),
        "a?": ("two?", 2),
        "b?": ("a?", 3),
    }
    told = await cluster.rows("SELECT cartrita_text(parts) AS t FROM messages WHERE edited")
    assert [row["t"] for row in told] == ["three?"]


async def test_a_cancelled_run_that_never_started_leaves_none_of_its_messages(
    cluster: Cluster,
) -> None:
    async with cluster.replica() as log:
        first = await log.admission.admit(admission("one?"))
        into: dict[str, Any] = {"conversation_id": first.conversation_id}
        queued = await log.admission.admit(admission(new_message=chain("two?", "three?"), **into))
        await log.cancellation.cancel("ann", queued.run_id)
    assert await tree(cluster) == {"one?": (None, 0)}


async def test_a_new_conversation_has_the_callers_id_and_only_once(cluster: Cluster) -> None:
    async with cluster.replica() as log:
        first = await log.admission.admit(admission(external_id="theirs"))
        stored = await cluster.value("SELECT external_id FROM conversations")
        with pytest.raises(Conflict) as refused:
            await log.admission.admit(admission(external_id="theirs"))
        assert refused.value.code == "conversation_exists"
        other = await log.admission.admit(admission(external_id="theirs", owner_id="bob"))
    assert stored == "theirs"
    assert other.conversation_id != first.conversation_id


async def test_messages_of_every_role_are_stored(cluster: Cluster) -> None:
    call = Message(Role.ASSISTANT, (ToolCall("c1", "look", {}),))
    result = Message(Role.TOOL, (ToolResult("c1", (Text("a cat"),)),))
    new = NewMessage(message=result, before=(user_message("What?"), call))
    async with cluster.replica() as log:
        await log.admission.admit(admission(new_message=new))
        rows = await cluster.rows("SELECT role, parts FROM messages ORDER BY depth")
    assert [row["role"] for row in rows] == ["user", "assistant", "tool"]
    parts = msgspec.json.decode(rows[2]["parts"], type=tuple[Part, ...])
    assert parts == result.parts


async def test_a_retry_adds_a_sibling_answer(cluster: Cluster) -> None:
    async with cluster.replica() as log:
        run = await complete_run(log, "first!", text="what?")
        conversation = await cluster.value("SELECT conversation_id FROM runs WHERE id = $1", run)
        asked = await message_with_text(cluster, "what?")
        await log.admission.admit(admission(conversation_id=conversation, answer_to=asked))
        execution = await claim_next(log)
        assert execution.claim.user_message_id == asked
        await execution.write("second!")
        await execution.complete()
    assert await tree(cluster) == {
        "what?": (None, 0),
        "first!": ("what?", 1),
        "second!": ("what?", 1),
    }
    assert await head(cluster) == "second!"


async def test_a_head_that_moved_during_a_run_stays(
    cluster: Cluster,
) -> None:
    async with cluster.replica() as log:
        first = await log.admission.admit(admission("one?"))
        execution = await claim_next(log)
        other = await insert_message(
            cluster.connection, first.conversation_id, "elsewhere", None, 0
        )
        await cluster.connection.execute("UPDATE conversations SET head_message_id = $1", other)
        await execution.write("one!")
        await execution.complete()
        assert await cluster.value("SELECT head_message_id FROM conversations") == other
        assert (await tree(cluster))["one!"] == ("one?", 1)


async def test_a_run_is_not_claimed_while_its_conversation_is_locked(cluster: Cluster) -> None:
    """Otherwise its message would get an old parent, and the change of the head would be lost."""
    async with cluster.replica() as log, cluster.session() as editor:
        first = await log.admission.admit(admission("one?"))
        await log.admission.admit(admission("two?", conversation_id=first.conversation_id))
        execution = await claim_next(log)
        await execution.write("one!")
        async with editor.transaction():
            await execution.complete()
            lock = "SELECT 1 FROM conversations WHERE id = $1 FOR UPDATE"
            await editor.fetchval(lock, first.conversation_id)
            one = await message_with_text(cluster, "one?")
            revised = await insert_message(editor, first.conversation_id, "revised!", one, 1)
            assert await within(log.queue.claim()) is None, "a later poll claims it"
            await editor.execute("UPDATE conversations SET head_message_id = $1", revised)
        await claim_next(log)
    assert (await tree(cluster))["two?"] == ("revised!", 2)


async def test_an_untitled_conversation_takes_its_first_messages_title(cluster: Cluster) -> None:
    conversation = await insert_conversation(cluster, title="Untitled")
    async with cluster.replica() as log:
        into: dict[str, Any] = {"conversation_id": conversation, "untitled": "Untitled"}
        await log.admission.admit(admission(title="First", **into))
        await log.admission.admit(admission(title="Second", **into))
    assert await cluster.value("SELECT title FROM conversations") == "First"


async def test_a_given_title_is_kept(cluster: Cluster) -> None:
    conversation = await insert_conversation(cluster, title="Mine")
    async with cluster.replica() as log:
        into: dict[str, Any] = {"conversation_id": conversation, "untitled": "Untitled"}
        await log.admission.admit(admission(title="First", **into))
        await log.admission.admit(admission(title="Second", conversation_id=conversation))
    assert await cluster.value("SELECT title FROM conversations") == "Mine"

"""Where messages are placed in the tree of a conversation, and its title."""

from typing import Any

from tests.backend.adapters.runlog.executions import claim_next, complete_run
from tests.backend.adapters.runlog.fixtures import (
    Cluster,
    admission,
    insert_conversation,
    insert_message,
    user_message,
)
from tests.backend.adapters.runlog.watchdog import within

from cartrita.domain.ids import MessageId
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

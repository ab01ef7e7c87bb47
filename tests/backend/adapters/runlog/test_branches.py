"""Where messages take their place in a conversation's tree, and what it is called."""

from typing import Any

from tests.backend.adapters.runlog.bench import Bench, a_conversation, a_message, admission, words
from tests.backend.adapters.runlog.scribes import begin, written
from tests.backend.adapters.runlog.watchdog import within

from cartrita.domain.runs import NewMessage
from cartrita.kit.ids import MessageId


async def tree(bench: Bench) -> dict[str, tuple[str | None, int]]:
    """Each message by its words: its parent's words, its depth."""
    rows = await bench.rows(
        "SELECT cartrita_text(m.parts) AS said, m.depth,"
        " CASE WHEN p.id IS NOT NULL THEN cartrita_text(p.parts) END AS parent"
        " FROM messages m LEFT JOIN messages p ON p.id = m.parent_id"
    )
    return {row["said"]: (row["parent"], row["depth"]) for row in rows}


async def head(bench: Bench) -> str:
    return await bench.value(
        "SELECT cartrita_text(m.parts) FROM conversations c JOIN messages m"
        " ON m.id = c.head_message_id"
    )


async def message_saying(bench: Bench, said: str) -> MessageId:
    return await bench.value("SELECT id FROM messages WHERE cartrita_text(parts) = $1", said)


async def test_a_message_waits_outside_the_tree_until_its_run_begins(bench: Bench) -> None:
    async with bench.replica() as log:
        first = await log.admission.admit(admission("one?"))
        into: dict[str, Any] = {"conversation_id": first.conversation_id}
        await log.admission.admit(admission("two?", **into))
        await log.admission.admit(admission("three?", **into))
        for answer in ("one!", "two!", "three!"):
            scribe = await begin(log)
            await scribe.say(answer)
            await scribe.complete()
    assert await tree(bench) == {
        "one?": (None, 0),
        "one!": ("one?", 1),
        "two?": ("one!", 2),
        "two!": ("two?", 3),
        "three?": ("two!", 4),
        "three!": ("three?", 5),
    }
    assert await head(bench) == "three!"


async def test_an_edit_at_the_root_begins_a_branch_beside_it(bench: Bench) -> None:
    async with bench.replica() as log:
        run = await written(log, "old!", text="old?")
        conversation = await bench.value("SELECT conversation_id FROM runs WHERE id = $1", run)
        edit = NewMessage(message=words("new?"), at_root=True, edited=True, metadata={"n": 1})
        await log.admission.admit(admission(conversation_id=conversation, new_message=edit))
        scribe = await begin(log)
        await scribe.say("new!")
        await scribe.complete()
    assert await tree(bench) == {
        "old?": (None, 0),
        "old!": ("old?", 1),
        "new?": (None, 0),
        "new!": ("new?", 1),
    }
    assert await head(bench) == "new!"
    [edited] = await bench.rows("SELECT metadata FROM messages WHERE edited")
    assert edited["metadata"] == '{"n": 1}'


async def test_a_pinned_parent_holds_wherever_the_branch_has_gone(bench: Bench) -> None:
    async with bench.replica() as log:
        run = await written(log, "one!", text="one?")
        conversation = await bench.value("SELECT conversation_id FROM runs WHERE id = $1", run)
        into: dict[str, Any] = {"conversation_id": conversation}
        await written(log, "two!", text="two?", **into)
        parent = await message_saying(bench, "one!")
        pinned = NewMessage(message=words("other?"), parent_id=parent)
        await log.admission.admit(admission(new_message=pinned, **into))
        scribe = await begin(log)
        await scribe.say("other!")
        await scribe.complete()
        places = await tree(bench)
        assert places["other?"] == ("one!", 2)
        assert places["other!"] == ("other?", 3)
        assert await head(bench) == "other!"
        await written(log, "next!", text="next?", **into)
    assert (await tree(bench))["next?"] == ("other!", 4)


async def test_a_retry_answers_the_same_message_once_more(bench: Bench) -> None:
    async with bench.replica() as log:
        run = await written(log, "first!", text="what?")
        conversation = await bench.value("SELECT conversation_id FROM runs WHERE id = $1", run)
        asked = await message_saying(bench, "what?")
        await log.admission.admit(admission(conversation_id=conversation, answer_to=asked))
        scribe = await begin(log)
        assert scribe.claim.user_message_id == asked
        await scribe.say("second!")
        await scribe.complete()
    assert await tree(bench) == {
        "what?": (None, 0),
        "first!": ("what?", 1),
        "second!": ("what?", 1),
    }
    assert await head(bench) == "second!"


async def test_a_branch_that_moved_on_while_an_answer_was_written_stays_where_it_is(
    bench: Bench,
) -> None:
    async with bench.replica() as log:
        first = await log.admission.admit(admission("one?"))
        scribe = await begin(log)
        other = await a_message(bench.direct, first.conversation_id, "elsewhere", None, 0)
        await bench.direct.execute("UPDATE conversations SET head_message_id = $1", other)
        await scribe.say("one!")
        await scribe.complete()
        assert await bench.value("SELECT head_message_id FROM conversations") == other
        assert (await tree(bench))["one!"] == ("one?", 1)


async def test_a_run_that_begins_waits_for_who_is_changing_the_branch(bench: Bench) -> None:
    """Or its message would hang below a head that is gone, and the change would be undone."""
    async with bench.replica() as log, bench.session() as editor:
        first = await log.admission.admit(admission("one?"))
        await log.admission.admit(admission("two?", conversation_id=first.conversation_id))
        scribe = await begin(log)
        await scribe.say("one!")
        async with editor.transaction():
            await scribe.complete()
            lock = "SELECT 1 FROM conversations WHERE id = $1 FOR UPDATE"
            await editor.fetchval(lock, first.conversation_id)
            one = await message_saying(bench, "one?")
            revised = await a_message(editor, first.conversation_id, "revised!", one, 1)
            assert await within(log.queue.claim()) is None, "it is left for another look"
            await editor.execute("UPDATE conversations SET head_message_id = $1", revised)
        await begin(log)
    assert (await tree(bench))["two?"] == ("revised!", 2)


async def test_an_untitled_conversation_takes_its_first_messages_title(bench: Bench) -> None:
    conversation = await a_conversation(bench, title="Untitled")
    async with bench.replica() as log:
        into: dict[str, Any] = {"conversation_id": conversation, "untitled": "Untitled"}
        await log.admission.admit(admission(title="First", **into))
        await log.admission.admit(admission(title="Second", **into))
    assert await bench.value("SELECT title FROM conversations") == "First"


async def test_a_title_that_somebody_gave_stays(bench: Bench) -> None:
    conversation = await a_conversation(bench, title="Mine")
    async with bench.replica() as log:
        into: dict[str, Any] = {"conversation_id": conversation, "untitled": "Untitled"}
        await log.admission.admit(admission(title="First", **into))
        await log.admission.admit(admission(title="Second", conversation_id=conversation))
    assert await bench.value("SELECT title FROM conversations") == "Mine"

"""The writer: publishing after the commit, group commits, and when it flushes."""

import asyncio

from tests.backend.adapters.runlog.executions import (
    buffered_seqs,
    is_flushed,
    next_item,
    start_executions,
)
from tests.backend.adapters.runlog.fixtures import Cluster, block_flushes, has_lock_waits
from tests.backend.adapters.runlog.watchdog import until, within

from cartrita.domain.events import (
    LoggedEvent,
    TextAppended,
    ToolCalled,
    ToolReturned,
    UsageRecorded,
)
from cartrita.domain.ids import RunId
from cartrita.domain.json import JsonValue
from cartrita.domain.messages import Text
from cartrita.domain.usage import Usage


async def test_events_are_published_only_after_their_commit(cluster: Cluster) -> None:
    async with cluster.replica() as log:
        [execution] = await start_executions(log, 1)
        async with log.reader.tail(execution.run_id, 1) as tail:
            async with block_flushes(cluster):
                await execution.write("secret")
                await until(lambda: has_lock_waits(cluster))
                waiting = asyncio.get_running_loop().create_task(next_item(tail))
                await cluster.value("SELECT 1")
                assert buffered_seqs(log, execution.run_id) == [1]
                assert not waiting.done()
                assert await cluster.text(execution.run_id) == ""
            item = await within(waiting)
        assert isinstance(item, LoggedEvent)
        assert item.event == TextAppended("secret", 0)
        assert await cluster.text(execution.run_id) == "secret"


async def test_events_added_during_a_flush_share_the_next_one(cluster: Cluster) -> None:
    async with cluster.replica() as log:
        runs = await start_executions(log, 6)
        async with block_flushes(cluster):
            for execution in runs:
                await execution.write("first ")
            await until(lambda: has_lock_waits(cluster))
            for word in ("and ", "then ", "more"):
                for execution in runs:
                    await execution.write(word)
        await within(asyncio.gather(*[execution.complete() for execution in runs]))
        for execution in runs:
            spoken = [
                e for _, e in await cluster.events(execution.run_id) if isinstance(e, TextAppended)
            ]
            assert "".join(event.text for event in spoken) == "first and then more"
            assert len(spoken) <= 3
        commits = await cluster.rows(
            "SELECT xmin::text, count(DISTINCT run_id) AS runs FROM run_events GROUP BY 1"
        )
        assert max(row["runs"] for row in commits) == 6, "one transaction took them all"


async def test_first_text_and_other_events_are_flushed_at_once(cluster: Cluster) -> None:
    async with cluster.replica(flush_s=3600) as log:
        [execution] = await start_executions(log, 1)
        await execution.write("first")
        await until(lambda: cluster.text(execution.run_id))
        await execution.write(" second")
        await execution.add(ToolCalled("c", "look", {}))
        await until(lambda: logged(cluster, execution.run_id, 4))
        assert await cluster.text(execution.run_id) == "first second"
        await execution.write("third")
        await within(execution.cancelled())
        assert await cluster.text(execution.run_id) == "first secondthird"


async def test_flush_bytes_of_text_are_flushed_at_once(cluster: Cluster) -> None:
    async with cluster.replica(flush_s=3600, flush_bytes=100) as log:
        [execution] = await start_executions(log, 1)
        await execution.write("!")
        await until(lambda: cluster.text(execution.run_id))
        await execution.write("x" * 60)
        assert execution.run_id in log.writer._dirty, "it waits"
        await execution.write("y" * 60)
        await until(lambda: logged(cluster, execution.run_id, 3))
        assert await cluster.text(execution.run_id) == "!" + "x" * 60 + "y" * 60


async def test_waiting_text_is_flushed_after_flush_s(cluster: Cluster) -> None:
    async with cluster.replica(flush_s=0.01) as log:
        [execution] = await start_executions(log, 1)
        for text in ("one ", "two ", "three"):
            await execution.write(text)
            await until(lambda: is_flushed(cluster, execution))


async def logged(cluster: Cluster, run_id: RunId, seq: int) -> bool:
    return await cluster.value(
        "SELECT EXISTS (SELECT 1 FROM run_events WHERE run_id = $1 AND seq = $2)", run_id, seq
    )


async def test_only_the_run_with_too_much_pending_waits(cluster: Cluster) -> None:
    async with cluster.replica(pending_bytes=1000) as log:
        loud, quiet = await start_executions(log, 2)
        async with block_flushes(cluster):
            await loud.write("!")
            await until(lambda: has_lock_waits(cluster))
            await loud.write("x" * 1000)
            stuck = asyncio.get_running_loop().create_task(loud.write("y"))
            await quiet.write("small")
            await cluster.value("SELECT 1")
            assert not stuck.done()
        await within(stuck)
        await within(asyncio.gather(loud.complete(), quiet.complete()))
        assert await cluster.text(loud.run_id) == "!" + "x" * 1000 + "y"


async def test_live_and_stored_events_are_equal(cluster: Cluster) -> None:
    """jsonb reorders names and rewrites numbers."""
    result: JsonValue = {"bb": 1e20, "a": [{"zz": 1, "y": -0.0}], "ä": 1.5, "c": 1e-7}
    async with cluster.replica() as log:
        [execution] = await start_executions(log, 1)
        async with log.reader.tail(execution.run_id, 1) as live:
            await execution.add(ToolReturned("c", "n", result, success=True))
            await execution.add(TextAppended("x", 0, ({"token": "x", "logprob": -0.0},)))
            await execution.add(UsageRecorded(Usage(1), 1e20))
            items = [await next_item(live) for _ in range(3)]
        read = [event for _, event in await cluster.events(execution.run_id)][1:]
        assert [repr(t.event) for t in items if isinstance(t, LoggedEvent)] == [
            repr(event) for event in read
        ]


async def test_usage_and_message_are_stored_with_the_end(cluster: Cluster) -> None:
    async with cluster.replica() as log:
        [execution] = await start_executions(log, 1)
        await execution.write("seen. ")
        await execution.complete()
        assert execution.answer.parts == (Text("seen. "),)
    [run] = await cluster.rows("SELECT * FROM runs")
    [message] = await cluster.rows("SELECT * FROM messages WHERE role = 'assistant'")
    assert run["usage"] == message["usage"] == '{"input_tokens": 1, "output_tokens": 2}'
    assert message["id"] == run["message_id"]
    assert message["parent_id"] == run["user_message_id"]
    assert (message["model"], message["provider"]) == ("m", "p")
    assert (message["status"], run["last_seq"]) == ("complete", 4)
    assert run["ended_at"] is not None

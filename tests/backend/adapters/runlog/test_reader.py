"""The reader: exact from every cursor, for live, logged, folded and expired logs."""

import asyncio
import json
from typing import Any

import pytest
from tests.backend.adapters.runlog.executions import (
    Execution,
    claim_next,
    complete_run,
    is_flushed,
    maintain,
    next_item,
    read_all,
    read_rest,
    start_executions,
    texts_of,
)
from tests.backend.adapters.runlog.fixtures import Cluster, admission
from tests.backend.adapters.runlog.watchdog import until

from cartrita.adapters.runlog.run_log import RunLog
from cartrita.domain.errors import NotFound
from cartrita.domain.events import LoggedEvent, ReasoningAppended, SourceFound, UnknownEvent
from cartrita.domain.ids import ConversationId, MessageId, RunId
from cartrita.domain.json import JsonObject
from cartrita.domain.messages import Citation, Message, Role, Text
from cartrita.domain.runs import Queued, RunStatus, Snapshot, TailItem
from cartrita.kit.ids import uuid7


async def write_mixed_events(log: RunLog, execution: Execution, pieces: int = 8) -> None:
    """Write many events of several kinds."""
    for n in range(pieces):
        await execution.write(f"word {n} 😀 ")
        await execution.add(ReasoningAppended(f"thought {n}"))
        await execution.add(SourceFound(Citation(f"source {n}")))


def seqs(items: list[TailItem | None]) -> list[int]:
    return [item.seq for item in items if isinstance(item, LoggedEvent)]


async def fold_run(cluster: Cluster, log: RunLog, run: RunId) -> None:
    await cluster.connection.execute("UPDATE runs SET ended_at = ended_at - interval '1 day'")

    async def folded() -> object:
        await maintain(log)  # does nothing while another replica does it
        return await cluster.value("SELECT folded FROM runs WHERE id = $1", run)

    await until(folded)


async def test_pages_are_cut_by_size_too(cluster: Cluster) -> None:
    """Large events take many pages, from the log and folded; none is lost between two pages."""
    async with cluster.replica(0) as log, cluster.replica(1) as elsewhere:
        [execution] = await start_executions(log, 1)
        for n in range(60):
            await execution.add(SourceFound(Citation(f"source {n} {'x' * 5000}")))
        await execution.complete()
        expected = list(range(1, 64))  # from the start of the run to its usage and its end
        for after in (0, 30, 62):
            assert seqs(await read_all(elsewhere, execution.run_id, after)) == expected[after:]
        await fold_run(cluster, log, execution.run_id)
        for after in (0, 30, 62):
            assert seqs(await read_all(elsewhere, execution.run_id, after)) == expected[after:]


async def test_every_cursor_gets_the_same_events_live_logged_and_folded(cluster: Cluster) -> None:
    async with cluster.replica(0) as owner, cluster.replica(1, poll_s=0.03) as elsewhere:
        [execution] = await start_executions(owner, 1)
        async with asyncio.TaskGroup() as tasks:
            whole = tasks.create_task(read_all(owner, execution.run_id))
            foreign = tasks.create_task(read_all(elsewhere, execution.run_id))
            await write_mixed_events(owner, execution)
            await until(lambda: is_flushed(cluster, execution))
            live = {
                (log, after): tasks.create_task(read_all(log, execution.run_id, after))
                for log in (owner, elsewhere)
                for after in range(4)
            }
            await write_mixed_events(owner, execution)
            await execution.complete()
        log = whole.result()
        assert seqs(log) == list(range(1, len(log) + 1))
        assert foreign.result() == log
        for (_, after), task in live.items():
            assert task.result() == log[after:]
        for after in range(len(log) + 1):
            assert await read_all(elsewhere, execution.run_id, after) == log[after:], "late"
        await fold_run(cluster, owner, execution.run_id)
        for after in range(len(log) + 1):
            assert await read_all(elsewhere, execution.run_id, after) == log[after:], "folded"


async def test_a_tail_continues_while_its_log_is_folded(cluster: Cluster) -> None:
    async with cluster.replica(0, window_bytes=300) as log:
        [execution] = await start_executions(log, 1)
        async with log.reader.tail(execution.run_id, 0) as tail:
            begun = [await next_item(tail)]
            await write_mixed_events(log, execution)
            begun.append(await next_item(tail))
            await execution.complete()
            await fold_run(cluster, log, execution.run_id)
            rest = await read_rest(tail)
        assert begun + rest == await read_all(log, execution.run_id)


async def test_a_long_log_is_read_without_waiting_between_pages(cluster: Cluster) -> None:
    """poll_s and heartbeat_s are an hour, so waiting for either would time out."""
    async with cluster.replica(0, poll_s=3600, heartbeat_s=3600) as log:
        run = await complete_run(log, "x")
        await lengthen_log(cluster, run, 1000)
        for after in (0, 1, 500, 999):
            items = await read_all(log, run, after)
            assert seqs(items) == list(range(after + 1, 1003))


async def lengthen_log(cluster: Cluster, run: RunId, events: int) -> None:
    """Insert text events before the terminal event of a run."""
    end = await cluster.value("SELECT max(seq) FROM run_events WHERE run_id = $1", run)
    await cluster.connection.execute(
        "UPDATE run_events SET seq = $2 + 2 WHERE run_id = $1 AND seq = $3", run, events, end
    )
    await cluster.connection.execute(
        "INSERT INTO run_events (run_id, seq, data) SELECT $1, n, jsonb_build_object("
        "'type', 'text_appended', 'text', 'x', 'position', n) FROM generate_series($3, $2 + 1) n",
        run,
        events,
        end,
    )
    await cluster.connection.execute("UPDATE runs SET last_seq = $2 + 2 WHERE id = $1", run, events)


async def test_a_reader_behind_the_buffer_reads_the_log_without_waiting(
    cluster: Cluster,
) -> None:
    async with cluster.replica(0, poll_s=3600, heartbeat_s=3600, window_bytes=300) as log:
        [execution] = await start_executions(log, 1)
        async with log.reader.tail(execution.run_id, 0) as tail:
            first = await next_item(tail)
            await write_mixed_events(log, execution)
            await until(lambda: is_flushed(cluster, execution))
            await execution.complete()
            rest = await read_rest(tail)
        assert seqs([first, *rest]) == list(range(1, len(rest) + 2))
        assert "".join(texts_of(rest)) == execution.answer.text


async def test_a_queued_run_yields_its_position_until_it_starts(cluster: Cluster) -> None:
    async with cluster.replica(0, poll_s=0.03) as log:
        [first] = await start_executions(log, 1)
        into: dict[str, Any] = {"conversation_id": first.claim.conversation_id}
        await log.admission.admit(admission("second", **into))
        third = await log.admission.admit(admission("third", **into))
        async with log.reader.tail(third.run_id, 0) as tail:
            assert await next_item(tail) == Queued(third.run_id, 2)
            await first.complete()
            second = await claim_next(log)
            assert await next_item(tail) == Queued(third.run_id, 1)
            await second.complete()
            await claim_next(log)
            started = await next_item(tail)
        assert isinstance(started, LoggedEvent)
        assert started.seq == 1


async def test_a_requeued_run_yields_its_position_to_readers_of_its_start(cluster: Cluster) -> None:
    async with cluster.manual_replica(1) as owner, cluster.replica(0, poll_s=0.03) as log:
        log.stop_claiming()
        admitted = await owner.admission.admit(admission())
        await owner.queue.claim()
        await owner.queue.release(admitted.run_id)
        async with log.reader.tail(admitted.run_id, 1) as tail:
            assert await next_item(tail) == Queued(admitted.run_id, 1)


async def test_a_cursor_beyond_the_log_gets_a_snapshot_then_events(
    cluster: Cluster,
) -> None:
    """As after a failover to a lagging standby. The owner has no buffer for the cursor either."""
    async with cluster.replica(0) as owner, cluster.replica(1, poll_s=0.03) as elsewhere:
        [execution] = await start_executions(owner, 1)
        await execution.write("so far")
        await until(lambda: is_flushed(cluster, execution))
        async with (
            owner.reader.tail(execution.run_id, 99) as here,
            elsewhere.reader.tail(execution.run_id, 99) as there,
        ):
            so_far = (Message(Role.ASSISTANT, (Text("so far"),)),)
            expected = Snapshot(execution.run_id, 2, so_far, recovered=False)
            assert await next_item(here) == await next_item(there) == expected
            await execution.write(" and on")
            for tail in (here, there):
                item = await next_item(tail)
                assert isinstance(item, LoggedEvent)
                assert item.seq == 3
            await execution.complete()
        whole = (Message(Role.ASSISTANT, (Text("so far and on"),)),)
        snapshot, last = end = await read_all(owner, execution.run_id, 99)
        assert snapshot == Snapshot(execution.run_id, 4, whole, recovered=False)
        assert isinstance(last, LoggedEvent)
        assert (last.seq, last.terminal) == (5, True)
        await fold_run(cluster, owner, execution.run_id)
        assert await read_all(owner, execution.run_id, 99) == end


async def test_a_snapshot_holds_all_of_a_long_log(cluster: Cluster) -> None:
    async with cluster.replica(0) as log:
        run = await complete_run(log, "x")
        await lengthen_log(cluster, run, 700)
        await cluster.connection.execute("DELETE FROM messages WHERE run_id IS NOT NULL")
        snapshot, last = await read_all(log, run, 5000)
        assert isinstance(snapshot, Snapshot)
        assert isinstance(last, LoggedEvent)
        assert (snapshot.seq, last.seq) == (701, 702)
        assert snapshot.messages[0].text.count("x") >= 699


async def test_a_snapshot_without_output_is_empty(cluster: Cluster) -> None:
    async with cluster.replica(0) as log:
        [execution] = await start_executions(log, 1)
        async with log.reader.tail(execution.run_id, 7) as tail:
            assert await next_item(tail) == Snapshot(execution.run_id, 1, (), recovered=False)


async def test_an_expired_log_is_replaced_by_a_snapshot(cluster: Cluster) -> None:
    async with cluster.replica(0) as log:
        run = await complete_run(log, "kept words")
        await fold_run(cluster, log, run)
        await cluster.connection.execute("DELETE FROM run_logs")
        message = Message(Role.ASSISTANT, (Text("kept words"),))
        for after in (0, 2):
            assert await read_all(log, run, after) == [Snapshot(run, 4, (message,), recovered=True)]
        assert await read_all(log, run, 4) == [], "the reader has the terminal event"


async def test_a_cursor_beyond_an_expired_log_gets_one_snapshot(cluster: Cluster) -> None:
    async with cluster.replica(0) as log:
        run = await complete_run(log, "kept words")
        await fold_run(cluster, log, run)
        await cluster.connection.execute("DELETE FROM run_logs")
        message = Message(Role.ASSISTANT, (Text("kept words"),))
        assert await read_all(log, run, 99) == [Snapshot(run, 4, (message,), recovered=False)]


async def test_the_latest_run_that_answers_a_message(cluster: Cluster) -> None:
    async with cluster.replica(0) as log:
        first = await complete_run(log, "x")
        asked = await log.reader.get("ann", first)
        question, conversation = asked.user_message_id, asked.conversation_id
        again = await log.admission.admit(
            admission(conversation_id=conversation, answer_to=question)
        )
        latest = await log.reader.latest("ann", question)
        assert latest is not None
        assert (latest.id, latest.input) == (again.run_id, asked.input)
        assert await log.reader.latest("bob", question) is None
        assert await log.reader.latest("ann", MessageId(uuid7())) is None


async def test_a_run_is_visible_to_its_owner_only(cluster: Cluster) -> None:
    async with cluster.replica(0) as log:
        run_id = await complete_run(log, "x", client_msg_id="c")
        run = await log.reader.get("ann", run_id)
        assert (run.id, run.owner_id, run.status) == (run_id, "ann", RunStatus.COMPLETED)
        assert (run.surface, run.agent, run.provider, run.model) == (
            "native",
            "assistant",
            "p",
            "m",
        )
        assert run.usage is not None
        assert run.usage.total_tokens == 3
        assert run.started_at is not None
        assert run.ended_at is not None
        assert run.created_at <= run.started_at <= run.ended_at
        assert (run.last_seq, run.attempt, run.error_code, run.cancel_requested) == (
            4,
            1,
            None,
            False,
        )
        for owner, wanted in (("bob", run_id), ("ann", RunId(uuid7()))):
            with pytest.raises(NotFound):
                await log.reader.get(owner, wanted)


async def test_an_unfinished_run_has_neither_usage_nor_end(cluster: Cluster) -> None:
    async with cluster.replica(0) as log:
        [execution] = await start_executions(log, 1)
        run = await log.reader.get("ann", execution.run_id)
        assert (run.status, run.usage, run.ended_at) == (RunStatus.RUNNING, None, None)


async def test_active_runs_are_listed_in_order(cluster: Cluster) -> None:
    async with cluster.replica(0) as log:
        [execution] = await start_executions(log, 1)
        conversation = execution.claim.conversation_id
        second = await log.admission.admit(admission(conversation_id=conversation))
        await log.admission.admit(admission())
        assert await log.reader.active("ann", conversation) == [execution.run_id, second.run_id]
        assert await log.reader.active("bob", conversation) == []
        assert await log.reader.active("ann", ConversationId(uuid7())) == []
        await execution.complete()
        assert await log.reader.active("ann", conversation) == [second.run_id]


@pytest.mark.parametrize("folded", [False, True])
async def test_an_event_of_a_newer_version_becomes_an_unknown_event(
    cluster: Cluster, *, folded: bool
) -> None:
    """As during a rolling upgrade: it keeps its number and is stored unchanged."""
    tomorrow: JsonObject = {"type": "of_2027", "more": [1, None, {"x": "y"}]}
    async with cluster.replica(0, fold_after_s=0) as log:
        run = await complete_run(log, "words")
        plain = await read_all(log, run)
        await cluster.connection.execute(
            "UPDATE run_events SET data = $2 WHERE run_id = $1 AND seq = 2",
            run,
            json.dumps(tomorrow),
        )
        if folded:
            await maintain(log)
            folded_items = json.loads(await cluster.value("SELECT items FROM run_logs"))
            assert [item["event"] for item in folded_items if item["seq"] == 2] == [tomorrow]
        items = await read_all(log, run)
        assert items == [plain[0], LoggedEvent(run, 2, UnknownEvent(tomorrow)), *plain[2:]]

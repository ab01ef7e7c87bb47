"""Outages between a writer and its database neither lose nor repeat events."""

import asyncio

import pytest
from tests.backend.adapters.runlog.executions import (
    assert_ended,
    buffered_seqs,
    is_flushed,
    lease_loss,
    next_item,
    read_all,
    start_executions,
    texts_of,
)
from tests.backend.adapters.runlog.fixtures import Cluster
from tests.backend.adapters.runlog.proxy import CommitFault, Proxy
from tests.backend.adapters.runlog.watchdog import until, within

from cartrita.domain.errors import LeaseLost
from cartrita.domain.events import (
    LoggedEvent,
    TextAppended,
)
from cartrita.domain.ids import RunId
from cartrita.kit.ids import uuid7


@pytest.mark.parametrize(
    "fault", [CommitFault.NEVER_ARRIVES, CommitFault.ANSWER_LOST], ids=lambda fault: fault.name
)
@pytest.mark.parametrize("runs", [1, 3])
async def test_a_lost_commit_neither_loses_nor_repeats_events(
    cluster: Cluster, proxy: Proxy, fault: CommitFault, runs: int
) -> None:
    async with cluster.replica(dsn=proxy.dsn) as log:
        several = await start_executions(log, runs)
        trap = proxy.trap(fault, "second")
        for word in ("first ", "second ", "third"):
            for execution in several:
                await execution.write(word)
            await until(lambda: cluster.text(several[0].run_id))
        await within(asyncio.gather(*[execution.complete() for execution in several]))
        assert trap.triggered.is_set()
        for execution in several:
            assert await cluster.text(execution.run_id) == "first second third"
            events = await cluster.events(execution.run_id)
            assert [seq for seq, _ in events] == list(range(1, len(events) + 1))
            items = await read_all(log, execution.run_id)
            assert [item.event for item in items if isinstance(item, LoggedEvent)] == [
                event for _, event in events
            ]


@pytest.mark.parametrize(
    "fault", [CommitFault.NEVER_ARRIVES, CommitFault.ANSWER_LOST], ids=lambda fault: fault.name
)
async def test_a_lost_final_commit_makes_one_terminal_event(
    cluster: Cluster, proxy: Proxy, fault: CommitFault
) -> None:
    async with cluster.replica(dsn=proxy.dsn) as log:
        [execution] = await start_executions(log, 1)
        await execution.write("seen. ")
        await until(lambda: cluster.text(execution.run_id))
        trap = proxy.trap(fault, "run_completed")
        await within(execution.complete())
        assert trap.triggered.is_set()
        await assert_ended(cluster, execution, "completed")
        assert await cluster.value("SELECT count(*) FROM messages") == 2


async def test_killed_database_sessions_lose_no_text(cluster: Cluster) -> None:
    async with cluster.replica() as log:
        [execution] = await start_executions(log, 1)
        for n in range(12):
            await execution.write(f"word{n} ")
            await until(lambda: is_flushed(cluster, execution))
            await cluster.value("SELECT pg_terminate_backend($1)", log.writer.backend_pid)
        await within(execution.complete())
        items = await read_all(log, execution.run_id)
        texts = texts_of(items)
        assert "".join(texts) == execution.answer.text


async def test_events_wait_for_the_database_and_are_not_published_before(
    cluster: Cluster, proxy: Proxy
) -> None:
    """Events are kept, unpublished, and flushed when the database is back."""
    async with cluster.replica(dsn=proxy.dsn) as log:
        [execution] = await start_executions(log, 1)
        async with log.reader.tail(execution.run_id, 1) as tail:
            await execution.write("before ")
            assert (await next_item(tail)) is not None
            proxy.cut(refusing=True)
            for word in ("while ", "it ", "was ", "away "):
                await execution.write(word)
            waiting = asyncio.get_running_loop().create_task(next_item(tail))
            await cluster.value("SELECT 1")
            assert buffered_seqs(log, execution.run_id) == [1, 2]
            assert not waiting.done()
            proxy.refusing = False
            item = await within(waiting)
            assert isinstance(item, LoggedEvent)
            assert item.seq == 3
        await within(execution.complete())
        assert await cluster.text(execution.run_id) == "before while it was away "


async def test_an_empty_flush_during_an_outage_is_skipped(cluster: Cluster, proxy: Proxy) -> None:
    """A forgotten run leaves the writer with nothing to write."""
    async with cluster.replica(dsn=proxy.dsn) as log:
        gone, execution = await start_executions(log, 2)
        await execution.write("!")
        await until(lambda: cluster.text(execution.run_id))
        proxy.cut(refusing=True)
        await gone.write("?")
        log.writer.forget(gone.run_id)
        await within(log.writer._next_flush())
        proxy.refusing = False
        await within(execution.complete())


async def test_a_check_violation_by_a_new_partition_is_retried(cluster: Cluster) -> None:
    """Attaching a partition makes the default partition refuse the row."""
    async with cluster.replica() as log:
        [execution] = await start_executions(log, 1)
        await cluster.connection.execute(
            "CREATE FUNCTION once() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            " IF nextval('tries') = 1 THEN"
            " RAISE EXCEPTION 'moved' USING ERRCODE = 'check_violation'; END IF;"
            " RETURN NEW; END $$;"
            "CREATE SEQUENCE tries;"
            "CREATE TRIGGER once BEFORE INSERT ON run_events FOR EACH ROW EXECUTE FUNCTION once()"
        )
        try:
            await execution.write("seen. ")
            await within(execution.complete())
        finally:
            await cluster.connection.execute("DROP FUNCTION once() CASCADE; DROP SEQUENCE tries")
        await assert_ended(cluster, execution, "completed")


async def test_appending_to_a_run_of_another_replica_raises_lease_lost(cluster: Cluster) -> None:
    async with cluster.replica() as log:
        stranger = RunId(uuid7())
        with pytest.raises(LeaseLost):
            await log.writer.append(stranger, TextAppended("x", 0))
        [execution] = await start_executions(log, 1)
        await execution.complete()
        with pytest.raises(LeaseLost):
            await execution.write("more")
        with pytest.raises(LeaseLost):
            await execution.cancelled()


async def test_a_replica_is_ready_again_after_a_lost_lease(cluster: Cluster, proxy: Proxy) -> None:
    """Otherwise no caller would send it requests, and it would never write again."""
    async with cluster.replica(dsn=proxy.dsn, lease_s=1.2) as log:
        await until(lambda: log.ready)
        [execution] = await start_executions(log, 1)
        proxy.cut(refusing=True)
        await execution.write("never written")
        await until(lambda: log.writer.failing and not log.ready)
        await lease_loss(log)
        log.stop_claiming()
        proxy.refusing = False
        await until(lambda: log._replica.held)
        log.queue.closed = False
        await until(lambda: log.ready)

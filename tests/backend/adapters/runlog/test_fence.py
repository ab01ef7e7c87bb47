"""The fence: a replica without its lease commits nothing, whatever the order of events."""

import asyncio
import time
from collections.abc import Awaitable

import pytest
from tests.backend.adapters.runlog.executions import (
    Execution,
    buffered_seqs,
    claim_next,
    is_flushed,
    lease_loss,
    next_item,
    read_all,
    start_executions,
    texts_of,
)
from tests.backend.adapters.runlog.fixtures import Cluster, admission, has_lock_waits
from tests.backend.adapters.runlog.proxy import CommitFault, Proxy
from tests.backend.adapters.runlog.watchdog import until, within

from cartrita.adapters.runlog.run_log import RunLog
from cartrita.domain.errors import LeaseLost
from cartrita.domain.events import LoggedEvent, RunStopped
from cartrita.domain.runs import RunAvailable


async def expire_leases(cluster: Cluster) -> None:
    await cluster.connection.execute(
        "UPDATE replicas SET expires_at = clock_timestamp() - interval '1 s'"
        " WHERE expires_at > clock_timestamp()"
    )


async def reap(heir: RunLog) -> None:
    """Reap as a reaper that has seen a healthy database for a long time."""
    heir._listener._healthy_since, heir._listener._last_poll = -3600.0, time.monotonic()
    await heir._reaper.reap()


async def test_revoking_a_lease_waits_for_an_open_flush(cluster: Cluster, proxy: Proxy) -> None:
    async with cluster.manual_replica(1) as heir, cluster.replica(0, dsn=proxy.dsn) as owner:
        [execution] = await start_executions(owner, 1)
        await execution.write("one ")
        await until(lambda: is_flushed(cluster, execution))
        trap = proxy.trap(CommitFault.HELD, "two")
        await execution.write("two")
        await within(trap.triggered.wait())
        await expire_leases(cluster)
        async with asyncio.TaskGroup() as tasks:
            reaping = tasks.create_task(reap(heir))
            await until(lambda: has_lock_waits(cluster))
            assert not reaping.done()
            assert await cluster.status(execution.run_id) == "running"
            trap.release()
        assert await cluster.status(execution.run_id) == "interrupted"
        events = [event for _, event in await cluster.events(execution.run_id)]
        assert [type(event).__name__ for event in events] == [
            "RunStarted",
            "TextAppended",
            "TextAppended",
            "RunStopped",
        ]
        kept = "SELECT cartrita_text(parts) FROM messages WHERE run_id = $1"
        assert await cluster.value(kept, execution.run_id) == "one two"


async def test_a_flush_after_the_lease_was_revoked_commits_nothing(cluster: Cluster) -> None:
    async with cluster.manual_replica(1) as heir, cluster.manual_replica(2) as owner:
        execution = await admit_and_claim(owner)
        await expire_leases(cluster)
        await reap(heir)
        assert await cluster.status(execution.run_id) == "queued"
        await execution.write("too late")
        await owner.writer._flush()
        assert await cluster.text(execution.run_id) == ""
        assert buffered_seqs(owner, execution.run_id) == []
        assert not owner._replica.held
        with pytest.raises(LeaseLost):
            await execution.write("more")
        with pytest.raises(LeaseLost):
            await execution.complete()


async def admit_and_claim(log: RunLog) -> Execution:
    await log.admission.admit(admission())
    claim = await log.queue.claim()
    assert claim is not None
    return Execution(log, claim)


async def test_a_lease_revoked_after_a_lost_commit_answer(cluster: Cluster, proxy: Proxy) -> None:
    """An event of the next owner with the same number is not taken for an own commit."""
    async with cluster.manual_replica(1) as heir, cluster.manual_replica(2, dsn=proxy.dsn) as owner:
        execution = await admit_and_claim(owner)
        await execution.write("one ")
        await owner.writer._flush()
        trap = proxy.trap(CommitFault.NEVER_ARRIVES, "unsaid")
        await execution.write("unsaid")
        async with owner.reader.tail(execution.run_id, 0) as tail, asyncio.TaskGroup() as tasks:
            received_by_then = [await next_item(tail), await next_item(tail)]
            tasks.create_task(owner.writer._flush())
            await within(trap.triggered.wait())
            proxy.cut(refusing=True)
            await expire_leases(cluster)
            await reap(heir)
            proxy.refusing = False
        assert [item.seq for item in received_by_then if isinstance(item, LoggedEvent)] == [1, 2]
        assert buffered_seqs(owner, execution.run_id) == []
        assert await cluster.text(execution.run_id) == "one "
        last = (await cluster.events(execution.run_id))[-1][1]
        assert isinstance(last, RunStopped)


async def test_a_new_lease_does_not_cover_runs_of_the_old_one(
    cluster: Cluster, proxy: Proxy
) -> None:
    """A flush that hung while the lease was lost and a new one taken commits nothing."""
    async with cluster.manual_replica(1) as heir, cluster.manual_replica(2, dsn=proxy.dsn) as owner:
        execution = await admit_and_claim(owner)
        old = owner._replica.lease
        trap = proxy.trap(CommitFault.NEVER_ARRIVES, "unsaid")
        await execution.write("unsaid")
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(owner.writer._flush())
            await within(trap.triggered.wait())
            owner._replica.lose_lease(old)
            await owner._replica.register()
        assert owner._replica.lease != old
        assert await cluster.text(execution.run_id) == ""
        assert owner._replica.held, "the new lease is not affected"
        await reap(heir)
        assert await cluster.status(execution.run_id) == "queued"


async def test_a_run_assigned_to_a_lost_lease_is_not_executed(
    cluster: Cluster, proxy: Proxy
) -> None:
    async with cluster.manual_replica(1) as heir, cluster.manual_replica(2, dsn=proxy.dsn) as owner:
        trap = proxy.trap(CommitFault.ANSWER_HELD, "late words")
        admitting = asyncio.get_running_loop().create_task(
            owner.admission.admit(admission("late words"))
        )
        await within(trap.triggered.wait())
        owner._replica.lose_lease(owner._replica.lease)
        await owner._replica.register()
        trap.release()
        run = await within(admitting)
        assert await owner.queue.claim() is None
        await expire_leases(cluster)
        await reap(heir)
        assert await cluster.status(run.run_id) == "queued"


async def test_a_replica_that_slept_past_its_lease_commits_nothing(cluster: Cluster) -> None:
    """It is stopped for longer than its lease, and notices the loss at its next flush."""
    async with cluster.manual_replica(1) as zombie, cluster.replica(0, lease_s=0.9) as heir:
        execution = await admit_and_claim(zombie)
        await expire_leases(cluster)
        second = await claim_next(heir)
        assert second.run_id == execution.run_id
        assert second.claim.attempt == 2
        assert second.claim.started == execution.claim.started, "the same log goes on"
        await second.write("from the heir")
        await execution.write("from the grave")
        await zombie.writer._flush()
        assert not zombie._replica.held
        await second.complete()
        items = await read_all(heir, execution.run_id)
        texts = texts_of(items)
        assert texts == ["from the heir"]


async def test_the_server_ends_idle_transactions(cluster: Cluster) -> None:
    """A process that is stopped during a flush must not block the reaper."""
    async with cluster.manual_replica(1) as zombie, zombie._connections[0].acquire() as connection:
        timeout = await connection.fetchval("SHOW idle_in_transaction_session_timeout")
    assert timeout == "5s"


async def test_a_process_that_was_stopped_knows_it_before_it_calls_a_model(
    cluster: Cluster,
) -> None:
    """Its own clock says so, before any heartbeat does."""
    async with cluster.manual_replica(1) as log:
        [execution] = await start_executions(log, 1)
        log.writer.require(execution.run_id)
        log._replica._safe_until = 0.0
        with pytest.raises(LeaseLost):
            log.writer.require(execution.run_id)


async def test_a_partitioned_replica_gives_up_after_two_thirds_of_its_lease(
    cluster: Cluster, proxy: Proxy
) -> None:
    """It stops writing before any other replica may revoke its lease."""
    async with cluster.replica(dsn=proxy.dsn, lease_s=1.2) as log:
        [execution] = await start_executions(log, 1)
        await execution.write("before")
        await until(lambda: is_flushed(cluster, execution))
        lease = log._replica.lease
        proxy.flowing.clear()
        await lease_loss(log)
        with pytest.raises(LeaseLost):
            await execution.write("after")
        proxy.flowing.set()
        await until(lambda: log._replica.held)
        assert log._replica.lease.id != lease.id
        alive = "SELECT count(*) FROM replicas WHERE expires_at > now()"
        assert await cluster.value(alive) == 1


async def test_runs_are_executed_again_under_a_new_lease(cluster: Cluster, proxy: Proxy) -> None:
    async with cluster.replica(dsn=proxy.dsn, lease_s=1.2) as log:
        await log.admission.admit(admission("unseen"))
        unseen = await claim_next(log)
        proxy.cut(refusing=True)
        await lease_loss(log)
        proxy.refusing = False
        again = await claim_next(log)
        assert again.run_id == unseen.run_id
        assert again.claim.attempt == 2
        await again.write("at last")
        await within(again.complete())
        assert await cluster.text(again.run_id) == "at last"


async def test_a_hanging_flush_ends_with_its_lease(cluster: Cluster, proxy: Proxy) -> None:
    """The runs of the next lease do not wait for its statement timeout."""
    async with cluster.replica(dsn=proxy.dsn, lease_s=1.2) as log:
        [execution] = await start_executions(log, 1)
        trap = proxy.trap(CommitFault.HELD, "stuck")
        await execution.write("stuck")
        await within(trap.triggered.wait())
        log._replica.lose_lease(log._replica.lease)
        await lease_loss(log)
        await until(lambda: log._replica.held)
        while True:
            found = await claim_next(log)
            if found.run_id == execution.run_id:
                break
        await found.write("free")
        await within(found.complete())
        trap.release()
        assert await cluster.text(found.run_id) == "free"


async def test_waiting_appends_and_ends_raise_lease_lost(cluster: Cluster, proxy: Proxy) -> None:
    async with cluster.replica(dsn=proxy.dsn, lease_s=1.2, pending_bytes=10) as log:
        ending, loud = await start_executions(log, 2)
        await ending.write("!")
        await until(lambda: is_flushed(cluster, ending))
        proxy.flowing.clear()
        await loud.write("x" * 20)
        async with asyncio.TaskGroup() as tasks:
            works = [
                tasks.create_task(refused(ending.complete())),
                tasks.create_task(refused(until_refused(loud))),
            ]
            await within(asyncio.gather(*works))
            proxy.flowing.set()


async def refused(work: Awaitable[None]) -> None:
    with pytest.raises(LeaseLost):
        await work


async def until_refused(execution: Execution) -> None:
    while True:
        await execution.write("y" * 20)
        await asyncio.sleep(0)


async def test_a_replica_without_a_lease_claims_nothing(cluster: Cluster) -> None:
    async with cluster.manual_replica(1) as log, cluster.manual_replica(2) as other:
        other.stop_claiming()
        await other.admission.admit(admission())
        log._replica.lose_lease(log._replica.lease)
        assert await log.queue.claim() is None
        await log._replica.register()
        log.queue.send(RunAvailable())
        assert await log.queue.claim() is not None

"""A deposed owner commits nothing, whichever of the two comes first; and it knows soon."""

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


async def expired(cluster: Cluster) -> None:
    await cluster.connection.execute(
        "UPDATE replicas SET expires_at = clock_timestamp() - interval '1 s'"
        " WHERE expires_at > clock_timestamp()"
    )


async def reaps(heir: RunLog) -> None:
    """As a reaper that has seen the database well for long."""
    heir._listener._healthy_since, heir._listener._last_poll = -3600.0, time.monotonic()
    await heir._reaper.reap()


async def test_a_take_over_waits_for_a_commit_that_is_on_its_way(
    cluster: Cluster, proxy: Proxy
) -> None:
    async with cluster.manual_replica(1) as heir, cluster.replica(0, dsn=proxy.dsn) as owner:
        [execution] = await start_executions(owner, 1)
        await execution.say("one ")
        await until(lambda: is_flushed(cluster, execution))
        trap = proxy.trap(CommitFault.HELD, "two")
        await execution.say("two")
        await within(trap.triggered.wait())
        await expired(cluster)
        async with asyncio.TaskGroup() as tasks:
            reaping = tasks.create_task(reaps(heir))
            await until(lambda: has_lock_waits(cluster))
            assert not reaping.done()
            assert await cluster.status(execution.run_id) == "running"
            trap.release()
        assert await cluster.status(execution.run_id) == "interrupted"
        said = [event for _, event in await cluster.events(execution.run_id)]
        assert [type(event).__name__ for event in said] == [
            "RunStarted",
            "TextAppended",
            "TextAppended",
            "RunStopped",
        ]
        kept = "SELECT cartrita_text(parts) FROM messages WHERE run_id = $1"
        assert await cluster.value(kept, execution.run_id) == "one two"


async def test_a_commit_that_comes_after_a_take_over_is_none(cluster: Cluster) -> None:
    async with cluster.manual_replica(1) as heir, cluster.manual_replica(2) as owner:
        execution = await admitted(owner)
        await expired(cluster)
        await reaps(heir)
        assert await cluster.status(execution.run_id) == "queued"
        await execution.say("too late")
        await owner.writer._flush()
        assert await cluster.text(execution.run_id) == ""
        assert buffered_seqs(owner, execution.run_id) == []
        assert not owner._replica.held
        with pytest.raises(LeaseLost):
            await execution.say("more")
        with pytest.raises(LeaseLost):
            await execution.complete()


async def admitted(log: RunLog) -> Execution:
    await log.admission.admit(admission())
    claim = await log.queue.claim()
    assert claim is not None
    return Execution(log, claim)


async def test_a_take_over_between_a_lost_answer_and_the_question_for_it(
    cluster: Cluster, proxy: Proxy
) -> None:
    """What a successor wrote under the same number must not pass for ours."""
    async with cluster.manual_replica(1) as heir, cluster.manual_replica(2, dsn=proxy.dsn) as owner:
        execution = await admitted(owner)
        await execution.say("one ")
        await owner.writer._flush()
        trap = proxy.trap(CommitFault.NEVER_ARRIVES, "unsaid")
        await execution.say("unsaid")
        async with owner.reader.tail(execution.run_id, 0) as told, asyncio.TaskGroup() as tasks:
            heard_by_then = [await next_item(told), await next_item(told)]
            tasks.create_task(owner.writer._flush())
            await within(trap.triggered.wait())
            proxy.cut(refusing=True)
            await expired(cluster)
            await reaps(heir)
            proxy.refusing = False
        assert [item.seq for item in heard_by_then if isinstance(item, LoggedEvent)] == [1, 2]
        assert buffered_seqs(owner, execution.run_id) == []
        assert await cluster.text(execution.run_id) == "one "
        last = (await cluster.events(execution.run_id))[-1][1]
        assert isinstance(last, RunStopped)


async def test_a_new_lease_is_no_key_to_the_runs_of_the_old_one(
    cluster: Cluster, proxy: Proxy
) -> None:
    """A flush that hung while its lease was lost and another taken commits nothing."""
    async with cluster.manual_replica(1) as heir, cluster.manual_replica(2, dsn=proxy.dsn) as owner:
        execution = await admitted(owner)
        old = owner._replica.lease
        trap = proxy.trap(CommitFault.NEVER_ARRIVES, "unsaid")
        await execution.say("unsaid")
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(owner.writer._flush())
            await within(trap.triggered.wait())
            owner._replica.lose_lease(old)
            await owner._replica.register()
        assert owner._replica.lease != old
        assert await cluster.text(execution.run_id) == ""
        assert owner._replica.held, "the new lease is as good as before"
        await reaps(heir)
        assert await cluster.status(execution.run_id) == "queued"


async def test_a_run_given_to_a_lease_that_is_gone_is_not_taken(
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
        await expired(cluster)
        await reaps(heir)
        assert await cluster.status(run.run_id) == "queued"


async def test_a_zombie_says_nothing_more_and_another_goes_on(cluster: Cluster) -> None:
    """Stopped in the middle, for longer than its lease; woken, it knows at its next flush."""
    async with cluster.manual_replica(1) as zombie, cluster.replica(0, lease_s=0.9) as heir:
        execution = await admitted(zombie)
        await expired(cluster)
        second = await claim_next(heir)
        assert second.run_id == execution.run_id
        assert second.claim.attempt == 2
        assert second.claim.started == execution.claim.started, "the same log goes on"
        await second.say("from the heir")
        await execution.say("from the grave")
        await zombie.writer._flush()
        assert not zombie._replica.held
        await second.complete()
        told = await read_all(heir, execution.run_id)
        texts = texts_of(told)
        assert texts == ["from the heir"]


async def test_an_abandoned_transaction_does_not_hold_the_reaper(cluster: Cluster) -> None:
    """A process that is stopped with its fence open: the server ends it."""
    async with cluster.manual_replica(1) as zombie, zombie._connections[0].acquire() as connection:
        timeout = await connection.fetchval("SHOW idle_in_transaction_session_timeout")
    assert timeout == "5s"


async def test_silence_for_two_thirds_of_a_lease_is_the_end_of_it(
    cluster: Cluster, proxy: Proxy
) -> None:
    """Behind a partition, long before anybody else may act, nothing is written any more."""
    async with cluster.replica(dsn=proxy.dsn, lease_s=1.2) as log:
        [execution] = await start_executions(log, 1)
        await execution.say("before")
        await until(lambda: is_flushed(cluster, execution))
        lease = log._replica.lease
        proxy.flowing.clear()
        await lease_loss(log)
        with pytest.raises(LeaseLost):
            await execution.say("after")
        proxy.flowing.set()
        await until(lambda: log._replica.held)
        assert log._replica.lease.id != lease.id
        alive = "SELECT count(*) FROM replicas WHERE expires_at > now()"
        assert await cluster.value(alive) == 1


async def test_after_a_new_lease_runs_go_on(cluster: Cluster, proxy: Proxy) -> None:
    async with cluster.replica(dsn=proxy.dsn, lease_s=1.2) as log:
        await log.admission.admit(admission("unseen"))
        unseen = await claim_next(log)
        proxy.cut(refusing=True)
        await lease_loss(log)
        proxy.refusing = False
        again = await claim_next(log)
        assert again.run_id == unseen.run_id
        assert again.claim.attempt == 2
        await again.say("at last")
        await within(again.complete())
        assert await cluster.text(again.run_id) == "at last"


async def test_a_flush_that_hangs_ends_with_its_lease(cluster: Cluster, proxy: Proxy) -> None:
    """Its statement may take thirty seconds to fail; the runs of the next lease do not wait."""
    async with cluster.replica(dsn=proxy.dsn, lease_s=1.2) as log:
        [execution] = await start_executions(log, 1)
        trap = proxy.trap(CommitFault.HELD, "stuck")
        await execution.say("stuck")
        await within(trap.triggered.wait())
        log._replica.lose_lease(log._replica.lease)
        await lease_loss(log)
        await until(lambda: log._replica.held)
        while True:
            found = await claim_next(log)
            if found.run_id == execution.run_id:
                break
        await found.say("free")
        await within(found.complete())
        trap.release()
        assert await cluster.text(found.run_id) == "free"


async def test_ends_and_appends_that_wait_hear_of_the_loss(cluster: Cluster, proxy: Proxy) -> None:
    async with cluster.replica(dsn=proxy.dsn, lease_s=1.2, pending_bytes=10) as log:
        ending, loud = await start_executions(log, 2)
        await ending.say("!")
        await until(lambda: is_flushed(cluster, ending))
        proxy.flowing.clear()
        await loud.say("x" * 20)
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
        await execution.say("y" * 20)
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

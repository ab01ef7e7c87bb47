"""Cancellation from any replica, of running, queued and ended runs."""

import asyncio

import pytest
from tests.backend.adapters.runlog.executions import (
    claim_next,
    is_flushed,
    next_signal,
    read_all,
    start_executions,
)
from tests.backend.adapters.runlog.fixtures import Cluster, admission
from tests.backend.adapters.runlog.watchdog import until, within

from cartrita.domain.errors import NotFound
from cartrita.domain.events import LoggedEvent, RunStarted, RunStopped, StopStatus
from cartrita.domain.ids import RunId
from cartrita.domain.runs import CancelRequested, Idempotency, RunInput, RunStatus
from cartrita.kit.ids import uuid7


async def test_the_owner_on_another_replica_is_notified(cluster: Cluster) -> None:
    """poll_s is an hour, so only the notification can have reached the owner."""
    async with cluster.replica(0, poll_s=3600) as owner, cluster.replica(1) as elsewhere:
        [execution] = await start_executions(owner, 1)
        await execution.write("half")
        await until(lambda: is_flushed(cluster, execution))
        asked = await elsewhere.cancellation.cancel("ann", execution.run_id)
        assert asked.cancel_requested
        assert asked.status is RunStatus.RUNNING
        signal = await next_signal(owner, CancelRequested)
        assert signal == CancelRequested(execution.run_id)
        await execution.cancelled()
        again = await elsewhere.cancellation.cancel("ann", execution.run_id)
        assert again.status is RunStatus.CANCELLED
    [message] = await cluster.rows(
        "SELECT status, cartrita_text(parts) AS text FROM messages WHERE run_id IS NOT NULL"
    )
    assert message == {"status": "partial", "text": "half"}


async def test_the_signal_is_repeated_until_the_run_ends(cluster: Cluster) -> None:
    async with cluster.replica(0, poll_s=0.03) as owner:
        [execution] = await start_executions(owner, 1)
        await owner.cancellation.cancel("ann", execution.run_id)
        for _ in range(3):
            await next_signal(owner, CancelRequested)


async def test_a_queued_run_ends_at_once_and_its_message_is_deleted(cluster: Cluster) -> None:
    async with cluster.replica(0) as log, cluster.replica(1) as elsewhere:
        [first] = await start_executions(log, 1)
        key = Idempotency("chat", "k", b"h")
        queued = await log.admission.admit(
            admission("withdrawn", conversation_id=first.claim.conversation_id, idempotency=key)
        )
        reading = asyncio.get_running_loop().create_task(read_all(elsewhere, queued.run_id))
        await until(lambda: queued.run_id in elsewhere._buffers._buffers)
        run = await log.cancellation.cancel("ann", queued.run_id)
        assert (run.status, run.last_seq, run.error_code) == (RunStatus.CANCELLED, 2, "cancelled")
        items = [item for item in await within(reading) if isinstance(item, LoggedEvent)]
        assert [item.seq for item in items] == [1, 2]
        started, stopped = (item.event for item in items)
        assert isinstance(started, RunStarted)
        assert not started.resumed
        assert isinstance(stopped, RunStopped)
        assert stopped.kind is StopStatus.CANCELLED
        assert await cluster.value("SELECT count(*) FROM messages") == 1
        assert await cluster.value("SELECT count(*) FROM idempotency") == 1
        await first.complete()
        assert await log.queue.claim() is None


async def test_the_next_queued_run_follows_a_cancelled_one(cluster: Cluster) -> None:
    async with cluster.replica(0) as log:
        [first] = await start_executions(log, 1)
        into = {"conversation_id": first.claim.conversation_id}
        gone = await log.admission.admit(admission("gone", **into))
        last = await log.admission.admit(admission("last", **into))
        await log.cancellation.cancel("ann", gone.run_id)
        await first.write("one")
        await first.complete()
        assert (await claim_next(log)).run_id == last.run_id
    parents = await cluster.rows("SELECT depth FROM messages ORDER BY depth")
    assert [row["depth"] for row in parents] == [0, 1, 2]


async def test_a_requeued_run_keeps_its_first_event(
    cluster: Cluster,
) -> None:
    async with cluster.manual_replica(1) as log:
        admitted = await log.admission.admit(admission())
        await log.queue.claim()
        await log.queue.release(admitted.run_id)
        run = await log.cancellation.cancel("ann", admitted.run_id)
        assert (run.status, run.last_seq) == (RunStatus.CANCELLED, 2)
        events = [type(event) for _, event in await cluster.events(admitted.run_id)]
        assert events == [RunStarted, RunStopped]
        assert await cluster.value("SELECT count(*) FROM messages") == 1, (
            "the message is in the tree already"
        )


async def test_a_cancelled_queued_continuation_is_marked_as_resumed(cluster: Cluster) -> None:
    async with cluster.manual_replica(1) as log:
        log.stop_claiming()
        work = RunInput(agent="a", provider="p", model="m", prefix="half an ans")
        queued = await log.admission.admit(admission(input=work))
        await log.cancellation.cancel("ann", queued.run_id)
        started = (await cluster.events(queued.run_id))[0][1]
        assert isinstance(started, RunStarted)
        assert started.resumed


@pytest.mark.parametrize("status", ["completed", "failed", "interrupted"])
async def test_ended_runs_are_not_changed(cluster: Cluster, status: str) -> None:
    async with cluster.manual_replica(1) as log:
        admitted = await log.admission.admit(admission())
        await cluster.connection.execute("UPDATE runs SET status = $1", status)
        run = await log.cancellation.cancel("ann", admitted.run_id)
        assert run.status == status
        assert not run.cancel_requested


async def test_a_cancellation_before_the_start_is_kept(cluster: Cluster) -> None:
    async with cluster.manual_replica(1) as log:
        admitted = await log.admission.admit(admission())
        await log.cancellation.cancel("ann", admitted.run_id)
        await log.queue.claim()
        await log.queue.release(admitted.run_id)
        claim = await log.queue.claim()
        assert claim is not None
        assert claim.cancelled


async def test_runs_of_other_owners_are_not_found(cluster: Cluster) -> None:
    async with cluster.manual_replica(1) as log:
        admitted = await log.admission.admit(admission())
        for owner, run in (("bob", admitted.run_id), ("ann", RunId(uuid7()))):
            with pytest.raises(NotFound) as refusal:
                await log.cancellation.cancel(owner, run)
            assert refusal.value.code == "run_not_found"
        assert not await cluster.value("SELECT cancel_requested_at FROM runs")

"""The queue: which run starts when, and on which replica."""

import asyncio
import json
from itertools import pairwise
from typing import Any

import pytest
from structlog.testing import capture_logs
from tests.backend.adapters.runlog.executions import (
    Execution,
    claim_next,
    next_signal,
    start_executions,
)
from tests.backend.adapters.runlog.fixtures import Cluster, admission, has_lock_waits
from tests.backend.adapters.runlog.watchdog import until, within

from cartrita.adapters.runlog import queue
from cartrita.adapters.runlog.run_log import RunLog
from cartrita.domain.errors import LeaseLost
from cartrita.domain.ids import RunId
from cartrita.domain.runs import RunAvailable


async def answering(log: RunLog, order: list[RunId], done: asyncio.Event) -> None:
    """Execute runs with one word each."""
    while not done.is_set():
        execution = await claim_next(log)
        order.append(execution.run_id)
        await execution.write("word")
        await execution.complete()


async def test_queued_runs_begin_in_order_over_two_replicas_one_at_a_time(cluster: Cluster) -> None:
    async with cluster.replica(0) as here, cluster.replica(1) as there:
        conversations = [
            (await here.admission.admit(admission())).conversation_id for _ in range(3)
        ]
        await asyncio.gather(
            *[
                log.admission.admit(admission(conversation_id=conversation))
                for conversation in conversations
                for log in (here, there) * 3
            ]
        )
        order: list[RunId] = []
        done = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            working = [tasks.create_task(answering(log, order, done)) for log in (here, there)]
            await until(lambda: all_ended(cluster))
            for task in working:
                task.cancel()
    assert len(order) == 21
    rows = await cluster.rows(
        "SELECT id, conversation_id, started_at, ended_at FROM runs ORDER BY queue_no"
    )
    for conversation in conversations:
        queue = [row for row in rows if row["conversation_id"] == conversation]
        assert [row["id"] for row in queue] == [
            run for run in order if run in {row["id"] for row in queue}
        ]
        for earlier, later in pairwise(queue):
            assert earlier["ended_at"] <= later["started_at"]
    depths = await cluster.rows(
        "SELECT conversation_id, array_agg(depth ORDER BY depth) AS depths FROM messages GROUP BY 1"
    )
    assert [row["depths"] for row in depths] == [list(range(14))] * 3
    lonely = (
        "SELECT count(*) FROM messages m WHERE depth > 0 AND NOT EXISTS"
        " (SELECT 1 FROM messages p WHERE p.id = m.parent_id AND p.depth = m.depth - 1)"
    )
    assert await cluster.value(lonely) == 0


async def all_ended(cluster: Cluster) -> bool:
    return not await cluster.value("SELECT EXISTS (SELECT 1 FROM runs WHERE status <> 'completed')")


async def test_runs_of_different_conversations_start_in_order(
    cluster: Cluster,
) -> None:
    async with cluster.manual_replica(1) as log, cluster.manual_replica(2) as busy:
        busy.stop_claiming()
        runs = [(await busy.admission.admit(admission())).run_id for _ in range(5)]
        claims = [await log.queue.claim() for _ in runs]
        assert [claim.run_id for claim in claims if claim is not None] == runs


async def test_a_locked_run_is_not_overtaken_by_a_later_one(cluster: Cluster) -> None:
    async with cluster.manual_replica(1) as log, cluster.session() as other:
        first = await log.admission.admit(admission())
        await log.queue.claim()
        into: dict[str, Any] = {"conversation_id": first.conversation_id}
        second = await log.admission.admit(admission(**into))
        await log.admission.admit(admission(**into))
        await cluster.connection.execute(
            "UPDATE runs SET status = 'failed' WHERE id = $1", first.run_id
        )
        async with other.transaction():
            await other.execute("SELECT 1 FROM runs WHERE id = $1 FOR UPDATE", second.run_id)
            assert await log.queue.claim() is None
        claim = await log.queue.claim()
        assert claim is not None
        assert claim.run_id == second.run_id


async def test_concurrent_claims_get_different_runs(cluster: Cluster) -> None:
    async with (
        cluster.manual_replica(1) as one,
        cluster.manual_replica(2) as two,
        cluster.manual_replica(3) as busy,
    ):
        busy.stop_claiming()
        runs = {(await busy.admission.admit(admission())).run_id for _ in range(10)}
        claims = await within(
            asyncio.gather(*[(one if n % 2 else two).queue.claim() for n in range(30)])
        )
        await asyncio.gather(*[(one if n % 2 else two).queue.claim() for n in range(4)])
        owners = await cluster.rows("SELECT id, replica_id FROM runs WHERE status = 'running'")
        claimed = [claim.run_id for claim in claims if claim is not None]
        assert len(claimed) == len(set(claimed))
        assert set(claimed) <= runs
        for row in owners:
            owner = one if row["replica_id"] == one._replica.lease.id else two
            assert row["id"] in owner.writer.owned


async def test_a_run_is_queued_while_the_one_before_is_running_or_waiting(cluster: Cluster) -> None:
    async with cluster.manual_replica(1) as log:
        first = await log.admission.admit(admission())
        await log.queue.claim()
        await log.admission.admit(admission(conversation_id=first.conversation_id))
        assert await log.queue.claim() is None
        await cluster.connection.execute(
            "UPDATE runs SET status = 'waiting' WHERE status = 'running'"
        )
        assert await log.queue.claim() is None
        await cluster.connection.execute(
            "UPDATE runs SET status = 'failed' WHERE status = 'waiting'"
        )
        assert await log.queue.claim() is not None


async def test_an_index_prevents_a_second_running_run(cluster: Cluster) -> None:
    """Should a query overlook a running run, a unique index decides; a later claim succeeds."""
    async with cluster.manual_replica(1) as log, cluster.session() as other:
        first = await log.admission.admit(admission())
        await log.queue.claim()
        second = await log.admission.admit(admission(conversation_id=first.conversation_id))
        await cluster.connection.execute(
            "UPDATE runs SET status = 'failed' WHERE id = $1", first.run_id
        )
        async with other.transaction():
            await other.execute(
                "INSERT INTO runs (owner_id, conversation_id, user_message_id, message_id,"
                " surface, agent, provider, model, input, status, deadline_at)"
                " SELECT owner_id, conversation_id, user_message_id, gen_random_uuid(),"
                " surface, agent, provider, model, input, 'running', now() FROM runs"
                " WHERE id = $1",
                first.run_id,
            )
            claiming = asyncio.get_running_loop().create_task(log.queue.claim())
            await until(lambda: has_lock_waits(cluster))
        assert await within(claiming) is None
        assert await cluster.status(second.run_id) == "queued"


@pytest.mark.parametrize(
    "newer",
    [{"context": [{"role": "user", "parts": [{"type": "of_2027"}]}]}, {"version": 2027}],
    ids=["part", "version"],
)
async def test_an_unreadable_run_is_left_in_the_queue(
    cluster: Cluster, newer: dict[str, object]
) -> None:
    async with cluster.manual_replica(1) as log, cluster.manual_replica(2) as busy:
        busy.stop_claiming()
        run = await busy.admission.admit(admission())
        after = await busy.admission.admit(admission())
        await cluster.connection.execute(
            "UPDATE runs SET input = $2 WHERE id = $1",
            run.run_id,
            json.dumps({"agent": "a", "provider": "p", "model": "m", **newer}),
        )
        with capture_logs() as logs:
            claim = await log.queue.claim()
            assert await log.queue.claim() is None
        assert claim is not None
        assert claim.run_id == after.run_id, "other runs are not affected"
        assert [entry["event"] for entry in logs] == ["run_unreadable"]
        assert await cluster.status(run.run_id) == "queued"
        assert (await log.reader.get("ann", run.run_id)).input is None
        assert (await log.cancellation.cancel("ann", run.run_id)).status == "cancelled"


async def test_a_run_that_fails_to_start_ends_no_replica(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with cluster.manual_replica(1) as log, cluster.manual_replica(2) as busy:
        busy.stop_claiming()
        odd = await busy.admission.admit(admission())
        after = await busy.admission.admit(admission())
        start = queue.start_run

        async def fail_on_odd(connection: Any, run_id: RunId, lease: Any) -> Any:
            if run_id == odd.run_id:
                raise RecursionError
            return await start(connection, run_id, lease)

        monkeypatch.setattr(queue, "start_run", fail_on_odd)
        with capture_logs() as logs:
            claim = await log.queue.claim()
            assert await log.queue.claim() is None
        assert claim is not None
        assert claim.run_id == after.run_id
        assert [(each["event"], each["exc_info"]) for each in logs] == [("run_unreadable", True)]
        assert await cluster.status(odd.run_id) == "queued"


async def test_a_released_run_starts_on_another_replica(cluster: Cluster) -> None:
    async with cluster.replica(0) as here, cluster.replica(1) as there:
        [execution] = await start_executions(here, 1)
        here.stop_claiming()
        await here.queue.release(execution.run_id)
        assert here.writer.owned == []
        again = await claim_next(there)
        assert (again.run_id, again.claim.attempt) == (execution.run_id, 2)
        with pytest.raises(LeaseLost):
            await execution.write("too late")
        await again.write("here")
        await again.complete()
        assert await cluster.text(execution.run_id) == "here"


async def test_a_replica_without_lease_releases_nothing(cluster: Cluster) -> None:
    async with cluster.manual_replica(1) as log:
        await log.admission.admit(admission())
        claim = await log.queue.claim()
        assert claim is not None
        await cluster.connection.execute("UPDATE replicas SET epoch = epoch + 1")
        with pytest.raises(LeaseLost):
            await log.queue.release(claim.run_id)
        assert await cluster.status(claim.run_id) == "running"


async def test_a_notification_wakes_a_replica_that_can_claim(cluster: Cluster) -> None:
    """poll_s is an hour, so only the notification can have woken it."""
    async with cluster.replica(0, poll_s=3600) as here, cluster.replica(1) as there:
        [execution] = await start_executions(there, 1)
        there.stop_claiming()
        waiting = await there.admission.admit(
            admission(conversation_id=execution.claim.conversation_id)
        )
        await execution.complete()
        assert (await claim_next(here)).run_id == waiting.run_id


async def test_signals_come_in_order_and_claims_with_them(cluster: Cluster) -> None:
    async with cluster.manual_replica(1) as log:
        runs = [(await log.admission.admit(admission())).run_id for _ in range(3)]
        for run in runs:
            assert isinstance(await next_signal(log, RunAvailable), RunAvailable)
            claim = await log.queue.claim()
            assert claim is not None
            assert Execution(log, claim).run_id == run

"""The reaper: whose lease counts as expired, and what becomes of each run."""

import asyncio
import time
from typing import Any

import pytest
from structlog.testing import capture_logs
from tests.backend.adapters.runlog.executions import (
    Execution,
    claim_next,
    is_flushed,
    read_all,
    start_executions,
    texts_of,
)
from tests.backend.adapters.runlog.fixtures import Cluster, admission
from tests.backend.adapters.runlog.watchdog import until, within

from cartrita.adapters.runlog import reaper
from cartrita.adapters.runlog.events import select_events
from cartrita.adapters.runlog.run_log import RunLog
from cartrita.domain.events import LoggedEvent, RunStopped, StopStatus
from cartrita.domain.ids import RunId
from cartrita.domain.runs import Idempotency, RunStatus
from cartrita.domain.uncounted import Uncounted

KEY = Idempotency("chat", "key", b"hash")


async def claim_manually(log: RunLog, **values: Any) -> Execution:
    """Admit and claim a run on a manual replica."""
    await log.admission.admit(admission(**values))
    claim = await log.queue.claim()
    assert claim is not None
    return Execution(log, claim)


async def write_and_flush(log: RunLog, execution: Execution, text: str) -> None:
    await execution.write(text)
    await log.writer._flush()


async def release_leases(cluster: Cluster) -> None:
    """Release all leases, as a process restarted on its data directory does."""
    await cluster.connection.execute("UPDATE replicas SET expires_at = '-infinity'")


async def expire_leases(cluster: Cluster) -> None:
    await cluster.connection.execute(
        "UPDATE replicas SET expires_at = clock_timestamp() - interval '1 s'"
    )


class Settled(Uncounted):
    """Keeps what became of runs whose worker was gone."""

    def __init__(self) -> None:
        self.statuses: list[RunStatus] = []

    def orphan_settled(self, status: RunStatus) -> None:
        self.statuses.append(status)


async def test_a_run_without_visible_output_is_requeued(cluster: Cluster) -> None:
    counts = Settled()
    async with (
        cluster.manual_replica(1) as dead,
        cluster.manual_replica(2, counts=counts) as heir,
    ):
        execution = await claim_manually(dead, idempotency=KEY)
        await release_leases(cluster)
        await heir._replica.register()
        await heir._reaper.reap()
        assert counts.statuses == [RunStatus.QUEUED]
        assert await cluster.status(execution.run_id) == "queued"
        claim = await heir.queue.claim()
        assert claim is not None
        assert (claim.run_id, claim.attempt, claim.last_seq) == (execution.run_id, 2, 1)
        assert claim.started == execution.claim.started
        second = Execution(heir, claim)
        await write_and_flush(heir, second, "at last")
        assert [seq for seq, _ in await cluster.events(execution.run_id)] == [1, 2]
        assert await cluster.value("SELECT count(*) FROM idempotency") == 1


async def test_a_run_with_visible_output_is_interrupted(cluster: Cluster) -> None:
    counts = Settled()
    async with (
        cluster.manual_replica(1) as dead,
        cluster.manual_replica(2, counts=counts) as heir,
    ):
        execution = await claim_manually(dead, idempotency=KEY)
        await write_and_flush(dead, execution, "half an ans")
        await release_leases(cluster)
        await heir._reaper.reap()
        await heir._reaper.reap()
        assert counts.statuses == [RunStatus.INTERRUPTED], "once"
        items = await read_all(heir, execution.run_id)
        last = items[-1]
        assert isinstance(last, LoggedEvent)
        assert isinstance(last.event, RunStopped)
        assert (last.seq, last.event.kind, last.event.recoverable) == (
            3,
            StopStatus.INTERRUPTED,
            True,
        )
    [message] = await cluster.rows(
        "SELECT *, cartrita_text(parts) AS text FROM messages WHERE run_id IS NOT NULL"
    )
    assert (message["text"], message["status"]) == ("half an ans", "partial")
    [run] = await cluster.rows("SELECT * FROM runs")
    assert (run["status"], run["last_seq"], run["error_code"]) == ("interrupted", 3, "interrupted")
    assert await cluster.value("SELECT head_message_id FROM conversations") == message["id"]
    assert await cluster.value("SELECT count(*) FROM idempotency") == 1


async def test_a_run_with_events_of_a_newer_version_is_left_to_that_version(
    cluster: Cluster,
) -> None:
    async with cluster.manual_replica(1) as dead, cluster.manual_replica(2) as heir:
        execution = await claim_manually(dead)
        await write_and_flush(dead, execution, "half an ans")
        await release_leases(cluster)
        await cluster.connection.execute("UPDATE run_events SET version = 2027 WHERE seq = 2")
        await heir._reaper.reap()
        assert await cluster.status(execution.run_id) == "running"
        await cluster.connection.execute("UPDATE run_events SET version = 1")
        await heir._reaper.reap()
        assert await cluster.status(execution.run_id) == "interrupted"


async def test_a_cancelled_run_of_a_dead_owner_ends_as_cancelled(cluster: Cluster) -> None:
    async with cluster.manual_replica(1) as dead, cluster.manual_replica(2) as heir:
        unseen, half = await claim_manually(dead, idempotency=KEY), await claim_manually(dead)
        await write_and_flush(dead, half, "half")
        for execution in (unseen, half):
            await heir.cancellation.cancel("ann", execution.run_id)
        await release_leases(cluster)
        await heir._reaper.reap()
        for execution in (unseen, half):
            assert await cluster.status(execution.run_id) == "cancelled"
        assert await cluster.value("SELECT count(*) FROM idempotency") == 1, (
            "cancelled runs keep their keys"
        )


async def test_a_run_is_not_requeued_beyond_max_attempts(cluster: Cluster) -> None:
    async with cluster.manual_replica(1) as dead, cluster.manual_replica(2, max_attempts=2) as heir:
        execution = await claim_manually(dead, idempotency=KEY)
        await cluster.connection.execute("UPDATE runs SET attempt = 2")
        await release_leases(cluster)
        await heir._reaper.reap()
        assert await cluster.status(execution.run_id) == "interrupted"
    assert await cluster.value("SELECT count(*) FROM messages") == 1
    assert await cluster.value("SELECT count(*) FROM idempotency") == 0, "it may be tried again"


async def test_a_run_that_was_given_back_has_not_failed(cluster: Cluster) -> None:
    """Servers that are replaced one after the other, and then one that crashes."""
    async with (
        cluster.manual_replica(1, max_attempts=2) as here,
        cluster.manual_replica(2, max_attempts=2) as heir,
    ):
        execution = await claim_manually(here)
        for _ in range(3):
            await here.queue.release(execution.run_id)
            assert await here.queue.claim() is not None
        await release_leases(cluster)
        await heir._reaper.reap()
        assert await cluster.status(execution.run_id) == "queued"
        await cluster.connection.execute(
            "UPDATE runs SET worked = interval '2 hours', started_at = now() - interval '9 hours'"
        )
    async with cluster.manual_replica(3) as last:
        claim = await last.queue.claim()
        assert claim is not None
        assert 7200 <= claim.worked_s < 8000, "waiting in the queue is no work"


@pytest.mark.parametrize(("silent_hours", "worked_hours"), [(8, 1), (20, 0)])
async def test_the_time_between_a_crash_and_its_takeover_is_no_work(
    cluster: Cluster, silent_hours: int, worked_hours: int
) -> None:
    async with cluster.manual_replica(1) as dead, cluster.manual_replica(2) as heir:
        await claim_manually(dead)
        await cluster.connection.execute(
            "UPDATE runs SET claimed_at = claimed_at - interval '9 hours'"
        )
        await cluster.connection.execute(
            "UPDATE replicas SET renewed_at = renewed_at - $1 * interval '1 hour'", silent_hours
        )
        await release_leases(cluster)
        await heir._reaper.reap()
        worked = "SELECT round(extract(epoch FROM worked) / 3600)::int FROM runs"
        assert await cluster.value(worked) == worked_hours


async def test_a_heartbeat_is_noted(cluster: Cluster) -> None:
    async with cluster.manual_replica(1) as log:
        await cluster.connection.execute(
            "UPDATE replicas SET renewed_at = renewed_at - interval '1 day'"
        )
        await log._replica._renew()
        assert await cluster.value("SELECT bool_and(renewed_at > started_at) FROM replicas")


async def test_a_run_past_its_deadline_is_not_requeued(cluster: Cluster) -> None:
    async with cluster.manual_replica(1) as dead, cluster.manual_replica(2) as heir:
        execution = await claim_manually(dead)
        await cluster.connection.execute("UPDATE runs SET deadline_at = now() - interval '1 s'")
        await release_leases(cluster)
        await heir._reaper.reap()
        assert await cluster.status(execution.run_id) == "interrupted"


async def test_an_expired_lease_counts_only_after_a_lease_of_health(
    cluster: Cluster,
) -> None:
    """An outage makes all leases expire."""
    async with (
        cluster.manual_replica(1) as silent,
        cluster.manual_replica(2, lease_s=60) as watcher,
    ):
        execution = await claim_manually(silent)
        await expire_leases(cluster)
        await watcher._reaper.reap()
        assert await cluster.status(execution.run_id) == "running", (
            "it has not seen a healthy database yet"
        )
        now = time.monotonic()
        for well_s, status in ((0, "running"), (59, "running"), (61, "queued")):
            watcher._listener._healthy_since, watcher._listener._last_poll = now - well_s, now
            await watcher._reaper.reap()
            assert await cluster.status(execution.run_id) == status


async def test_a_renewed_lease_is_not_revoked(cluster: Cluster) -> None:
    async with cluster.manual_replica(1) as alive, cluster.manual_replica(2) as watcher:
        execution = await claim_manually(alive)
        await watcher._reaper._revoke(alive._replica.lease.id)
        await watcher._reaper.reap()
        assert await cluster.status(execution.run_id) == "running"


async def test_a_released_lease_counts_at_once(cluster: Cluster) -> None:
    async with cluster.manual_replica(2) as heir:
        async with cluster.replica(0) as leaving:
            [execution] = await start_executions(leaving, 1)
        await heir._reaper.reap()
        assert await cluster.status(execution.run_id) == "queued"


async def test_a_successor_in_the_same_slot_takes_over_at_once(cluster: Cluster) -> None:
    async with cluster.manual_replica(3) as other:
        await claim_manually(other)
        async with cluster.manual_replica(1) as dead:
            execution = await claim_manually(dead)
            await cluster.connection.execute("UPDATE replicas SET instance = $1", cluster.instance)
            async with cluster.replica(1) as successor:
                again = await claim_next(successor)
                assert again.run_id == execution.run_id
        held = await cluster.value(
            "SELECT count(*) FROM replicas WHERE slot = 3 AND expires_at > now()"
        )
        assert held == 1, "other slots keep their leases"


async def test_leases_of_removed_slots_end_at_once(cluster: Cluster) -> None:
    async with cluster.manual_replica(8) as surplus:
        execution = await claim_manually(surplus)
        await cluster.connection.execute(
            "UPDATE replicas SET instance = $1, slot = 9", cluster.instance
        )
        async with cluster.replica(0) as first:
            assert (await claim_next(first)).run_id == execution.run_id


async def test_dead_replicas_are_deleted_once_their_runs_are_settled(cluster: Cluster) -> None:
    async with (
        cluster.manual_replica(1) as dead,
        cluster.manual_replica(2) as heir,
        cluster.session() as other,
    ):
        execution = await claim_manually(dead)
        await cluster.expire(dead)
        await cluster.connection.execute(
            "UPDATE replicas SET expires_at = '-infinity' WHERE id = $1",
            dead._replica.lease.id,
        )
        async with other.transaction():
            await other.execute("SELECT 1 FROM runs WHERE id = $1 FOR UPDATE", execution.run_id)
            await heir._reaper.reap()
            assert await cluster.value("SELECT count(*) FROM replicas") == 2
            assert await cluster.status(execution.run_id) == "running", "the run is locked"
        await heir._reaper.reap()
        assert await cluster.status(execution.run_id) == "queued"
        assert await cluster.value("SELECT count(*) FROM replicas") == 1


async def test_two_reapers_share_the_work(cluster: Cluster) -> None:
    async with (
        cluster.manual_replica(1) as dead,
        cluster.manual_replica(2) as one,
        cluster.manual_replica(3) as other,
    ):
        runs = [await claim_manually(dead) for _ in range(12)]
        for execution in runs[:6]:
            await execution.write("half")
        await dead.writer._flush()
        await cluster.connection.execute(
            "UPDATE replicas SET expires_at = '-infinity' WHERE id = $1",
            dead._replica.lease.id,
        )
        await within(asyncio.gather(*[log._reaper.reap() for log in (one, other, one, other)]))
        await one._reaper.reap()
        for n, execution in enumerate(runs):
            [row] = await cluster.rows("SELECT * FROM runs WHERE id = $1", execution.run_id)
            assert row["status"] == ("interrupted" if n < 6 else "queued")
            assert row["attempt"] == (1 if n < 6 else 2)
            events = await cluster.events(execution.run_id)
            assert len(events) == (3 if n < 6 else 1)


async def test_a_run_that_cannot_be_settled_does_not_stop_the_others(cluster: Cluster) -> None:
    """A run with an event that cannot be decoded is left to replicas that can."""
    async with cluster.manual_replica(1) as dead, cluster.manual_replica(2) as heir:
        runs = [await claim_manually(dead) for _ in range(3)]
        await cluster.connection.execute(
            """INSERT INTO run_events (run_id, seq, data) VALUES"""
            """ ($1, 2, '{"type": "text_appended"}'), ($2, 2, '{"type": "of_2027"}')""",
            runs[0].run_id,
            runs[1].run_id,
        )
        await release_leases(cluster)
        with capture_logs() as logs:
            await heir._reaper.reap()
            await heir._reaper.reap()
        found = [await cluster.status(execution.run_id) for execution in runs]
        assert found == ["running", "interrupted", "queued"], (
            "an unknown event may have been visible"
        )
        assert [e["event"] for e in logs].count("run_not_settled") == 1


async def test_an_unexpected_failure_of_one_run_does_not_stop_the_others(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with cluster.manual_replica(1) as dead, cluster.manual_replica(2) as heir:
        odd, plain = [await claim_manually(dead) for _ in range(2)]
        await release_leases(cluster)
        fold = reaper.fold

        def fail_on_odd(events: Any) -> Any:
            if events == [event.event for event in first_of_odd]:
                raise RecursionError
            return fold(events)

        async with cluster.session() as session:
            first_of_odd = await select_events(session, odd.run_id)
        monkeypatch.setattr(reaper, "fold", fail_on_odd)
        with capture_logs() as logs:
            await heir._reaper.reap()
            await heir._reaper.reap()
        failed = [each for each in logs if each["event"] == "run_not_settled"]
        assert [(each["run_id"], each["exc_info"]) for each in failed] == [(odd.run_id.hex, True)]
        assert await cluster.status(odd.run_id) == "running"
        assert await cluster.status(plain.run_id) == "queued"


async def test_no_failure_ends_the_loop(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    async with cluster.manual_replica(1) as dead, cluster.replica(0, lease_s=0.9) as heir:
        execution = await claim_manually(dead)

        async def fail() -> None:
            raise ZeroDivisionError

        with capture_logs() as logs, monkeypatch.context() as patched:
            patched.setattr(heir._reaper, "_give_back_lost_runs", fail)
            await until(lambda: [e for e in logs if e["event"] == "reaper_failed"][1:])
        failed = [each for each in logs if each["event"] == "reaper_failed"]
        assert ["exc_info" in each for each in failed[:2]] == [True, False]
        await cluster.connection.execute(
            "UPDATE replicas SET expires_at = '-infinity' WHERE id = $1",
            dead._replica.lease.id,
        )
        assert (await claim_next(heir)).run_id == execution.run_id


async def test_the_loop_continues_after_an_error(cluster: Cluster) -> None:
    async with cluster.manual_replica(1) as dead, cluster.replica(0, lease_s=0.9) as heir:
        execution = await claim_manually(dead)
        await cluster.connection.execute("ALTER TABLE runs RENAME TO elsewhere")
        try:
            with capture_logs() as logs:
                await until(lambda: [e for e in logs if e["event"] == "reaper_failed"])
        finally:
            await cluster.connection.execute("ALTER TABLE elsewhere RENAME TO runs")
        await cluster.connection.execute(
            "UPDATE replicas SET expires_at = '-infinity' WHERE id = $1",
            dead._replica.lease.id,
        )
        assert (await claim_next(heir)).run_id == execution.run_id


async def test_a_run_unknown_to_its_writer_is_given_back_when_found_twice(
    cluster: Cluster,
) -> None:
    async with cluster.manual_replica(1) as log:
        known = await claim_manually(log)
        lost = await claim_manually(log)
        log.writer.forget(lost.run_id)
        await log._reaper.reap()
        assert await cluster.status(lost.run_id) == "running", "the commit may have just happened"
        await log._reaper.reap()
        assert await cluster.status(lost.run_id) == "queued"
        assert await cluster.status(known.run_id) == "running"
        again = await log.queue.claim()
        assert again is not None
        assert (again.run_id, again.attempt) == (lost.run_id, 2)


async def test_a_replica_without_a_lease_gives_no_runs_back(cluster: Cluster) -> None:
    async with cluster.manual_replica(1) as log:
        await claim_manually(log)
        log._replica.lose_lease(log._replica.lease)
        await log._reaper._give_back_lost_runs()
        assert await cluster.value("SELECT count(*) FROM runs WHERE replica_id IS NULL") == 0


async def test_readers_follow_a_run_from_owner_to_owner(cluster: Cluster) -> None:
    async with cluster.manual_replica(1) as dead, cluster.replica(0) as heir:
        execution = await claim_manually(dead)
        reading = asyncio.get_running_loop().create_task(read_all(heir, execution.run_id))
        await until(lambda: RunId(execution.run_id) in heir._buffers._buffers)
        await release_leases(cluster)
        await heir._replica.register()
        second = await claim_next(heir)
        await second.write("whole")
        await until(lambda: is_flushed(cluster, second))
        await second.complete()
        items = await within(reading)
        texts = texts_of(items)
        assert texts == ["whole"]
        assert await cluster.status(execution.run_id) == RunStatus.COMPLETED


@pytest.mark.parametrize("status", ["waiting"])
async def test_a_waiting_run_needs_no_owner(cluster: Cluster, status: str) -> None:
    async with cluster.manual_replica(1) as dead, cluster.manual_replica(2) as heir:
        execution = await claim_manually(dead)
        await cluster.connection.execute("UPDATE runs SET status = $1", status)
        await release_leases(cluster)
        await heir._reaper.reap()
        assert await cluster.status(execution.run_id) == status

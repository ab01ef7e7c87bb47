"""Maintenance: folding, partitions and retention."""

import asyncio
from datetime import date, timedelta
from uuid import UUID

import pytest
from structlog.testing import capture_logs
from tests.backend.adapters.runlog.executions import (
    Execution,
    complete_run,
    maintain,
    read_all,
    start_executions,
)
from tests.backend.adapters.runlog.fixtures import Cluster, admission, has_lock_waits
from tests.backend.adapters.runlog.watchdog import until, within

from cartrita.adapters.runlog import maintenance
from cartrita.adapters.runlog.run_log import RunLog
from cartrita.domain.events import VERSION, LoggedEvent
from cartrita.domain.ids import RunId
from cartrita.domain.runs import Idempotency

BOUNDS = (
    "SELECT c.relname AS name, pg_get_expr(c.relpartbound, c.oid) AS bound FROM pg_inherits i"
    " JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'run_events'::regclass"
)


@pytest.fixture
async def own(cluster: Cluster) -> Cluster:
    """The cluster without the partitions of other tests."""
    for name in await partitions(cluster):
        if name != "run_events_default":
            await cluster.connection.execute(f"DROP TABLE {name}")
    return cluster


async def partitions(cluster: Cluster) -> dict[str, str]:
    return {row["name"]: row["bound"] for row in await cluster.rows(BOUNDS)}


async def today(cluster: Cluster) -> date:
    return await cluster.value("SELECT (now() AT TIME ZONE 'UTC')::date")


def partition_name(day: date) -> str:
    return f"run_events_{day:%Y%m%d}"


async def age_runs(cluster: Cluster) -> None:
    await cluster.connection.execute("UPDATE runs SET ended_at = ended_at - interval '1 day'")


# Partitions


async def test_partitions_are_created_ahead_and_hold_their_runs(own: Cluster) -> None:
    async with own.manual_replica(1, days_ahead=3) as log:
        await maintain(log)
        await maintain(log)
        first = await today(own)
        days = [first + timedelta(days=n) for n in range(4)]
        found = await partitions(own)
        assert set(found) == {"run_events_default", *map(partition_name, days)}
        for day in days:
            low, high = [
                await own.value("SELECT cartrita_uuid7_floor($1::text::timestamptz)", f"{d} UTC")
                for d in (day, day + timedelta(days=1))
            ]
            assert found[partition_name(day)] == f"FOR VALUES FROM ('{low}') TO ('{high}')"
        admitted = await log.admission.admit(admission())
        assert await own.value("SELECT count(*) FROM run_events_default") == 0
        where = "SELECT tableoid::regclass::text FROM run_events WHERE run_id = $1"
        assert await own.value(where, admitted.run_id) in map(partition_name, days)


async def test_a_partition_that_another_worker_makes_is_no_trouble(own: Cluster) -> None:
    async with own.manual_replica(1, days_ahead=0) as log:
        name = partition_name(await today(own))
        await own.connection.execute(f"CREATE TABLE {name} (LIKE run_events INCLUDING ALL)")
        with capture_logs() as logs:
            await maintain(log)
        assert [line for line in logs if line["event"] == "partition_left"] == []
        await own.connection.execute(f"DROP TABLE {name}")


async def test_a_replica_has_todays_partition_before_it_writes(own: Cluster) -> None:
    async with own.replica(0) as log:
        assert partition_name(await today(own)) in await partitions(own)
        await complete_run(log, "x")
    assert await own.value("SELECT count(*) FROM run_events_default") == 0


async def test_rows_in_the_default_partition_move_into_the_new_one(own: Cluster) -> None:
    async with own.manual_replica(1, days_ahead=1) as log:
        admitted = await log.admission.admit(admission())
        assert await own.value("SELECT count(*) FROM run_events_default") == 1
        await maintain(log)
        assert partition_name(await today(own)) in await partitions(own)
        assert await own.value("SELECT count(*) FROM run_events_default") == 0
        assert len(await own.events(admitted.run_id)) == 1


async def test_empty_old_partitions_are_dropped(own: Cluster) -> None:
    async with own.manual_replica(1, days_ahead=0) as log:
        await maintain(log)
        first = await today(own)
        old, kept, yesterday = (first - timedelta(days=n) for n in (5, 4, 1))
        for day in (old, kept, yesterday):
            await create_partition(own, day)
        run = await insert_event_of(own, kept)
        await maintain(log)
        assert partition_name(old) not in await partitions(own)
        assert {partition_name(kept), partition_name(yesterday), partition_name(first)} < set(
            await partitions(own)
        )
        assert await own.value("SELECT count(*) FROM run_events WHERE run_id = $1", run) == 1


async def create_partition(cluster: Cluster, day: date) -> None:
    low, high = [
        await cluster.value("SELECT cartrita_uuid7_floor($1::text::timestamptz)", f"{d} UTC")
        for d in (day, day + timedelta(days=1))
    ]
    await cluster.connection.execute(
        f"CREATE TABLE {partition_name(day)} PARTITION OF run_events"
        f" FOR VALUES FROM ('{low}') TO ('{high}')"
    )


async def insert_event_of(cluster: Cluster, day: date) -> RunId:
    """Insert an event of a run of that day, which is not folded."""
    run = RunId(
        UUID(
            int=(
                await cluster.value(
                    "SELECT cartrita_uuid7_floor($1::text::timestamptz)", f"{day} UTC"
                )
            ).int
            + 7
        )
    )
    await cluster.connection.execute(
        "INSERT INTO run_events (run_id, seq, data) VALUES ($1, 1, '{}')", run
    )
    return run


async def test_a_locked_partition_does_not_stop_maintenance(own: Cluster) -> None:
    async with own.manual_replica(1, days_ahead=1) as log, own.session() as other:
        run = await complete_manually(log)
        async with other.transaction():
            await other.execute("LOCK TABLE run_events_default IN SHARE MODE")
            with capture_logs() as logs:
                await within(log._maintenance.prepare())
            assert {e["event"] for e in logs} == {"partition_left"}
        await age_runs(own)
        await maintain(log)
        assert await own.value("SELECT folded FROM runs WHERE id = $1", run)
        assert len(await partitions(own)) == 3


async def complete_manually(log: RunLog) -> RunId:
    """A completed run of a manual replica."""
    admitted = await log.admission.admit(admission())
    claim = await log.queue.claim()
    assert claim is not None
    execution = Execution(log, claim)
    await execution.write("words")
    async with asyncio.TaskGroup() as tasks:
        ending = tasks.create_task(execution.complete())
        while not ending.done():
            await asyncio.sleep(0)
            await log.writer._flush()
    return admitted.run_id


async def test_concurrent_replicas_create_a_partition_once(own: Cluster) -> None:
    async with own.manual_replica(1) as one, own.manual_replica(2) as two:
        await within(asyncio.gather(one._maintenance.prepare(), two._maintenance.prepare()))
    assert partition_name(await today(own)) in await partitions(own)


# Folding


async def test_only_runs_that_ended_long_enough_ago_are_folded(cluster: Cluster) -> None:
    async with cluster.replica(0) as log:
        old = await complete_run(log, "old")
        await age_runs(cluster)
        recent = await complete_run(log, "recent")
        [running] = await start_executions(log, 1)
        await maintain(log)
        rows = await cluster.rows("SELECT id FROM runs WHERE folded")
        assert [row["id"] for row in rows] == [old]
        assert len(await cluster.events(recent)) == 4
        assert len(await cluster.events(running.run_id)) == 1
        [kept] = await cluster.rows("SELECT * FROM run_logs")
        assert (kept["run_id"], kept["owner_id"], kept["version"]) == (old, "ann", VERSION)


async def test_a_run_without_events_is_folded_too(cluster: Cluster) -> None:
    async with cluster.replica(0) as log:
        run = await complete_run(log, "x")
        await cluster.connection.execute("DELETE FROM run_events")
        await age_runs(cluster)
        await maintain(log)
        assert await cluster.value("SELECT items FROM run_logs WHERE run_id = $1", run) == "[]"


async def test_folding_takes_as_many_transactions_as_needed(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maintenance, "_DUE", maintenance._DUE.replace("LIMIT 200", "LIMIT 2"))
    async with cluster.replica(0) as log:
        runs = [await complete_run(log, "x") for _ in range(5)]
        await age_runs(cluster)
        await maintain(log)
        assert await cluster.value("SELECT count(*) FROM run_logs") == len(runs)


async def test_a_folding_transaction_is_bounded_by_its_events(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maintenance, "_MAX_EVENTS", 8)
    async with cluster.replica(0) as log:
        runs = [await complete_run(log, "x") for _ in range(3)]
        assert len(await cluster.events(runs[0])) == 4
        await age_runs(cluster)
        for folded in (2, 3):
            assert await log._maintenance._fold(cluster.connection)
            assert await cluster.value("SELECT count(*) FROM run_logs") == folded
        assert not await log._maintenance._fold(cluster.connection)
        monkeypatch.setattr(maintenance, "_MAX_EVENTS", 1)
        large = await complete_run(log, "x")
        await age_runs(cluster)
        await maintain(log)
        assert await cluster.value("SELECT folded FROM runs WHERE id = $1", large)


async def test_a_run_with_an_unreadable_event_is_not_folded(
    cluster: Cluster,
) -> None:
    async with cluster.replica(0) as log:
        strange, plain = await complete_run(log, "x"), await complete_run(log, "y")
        await cluster.connection.execute(
            """UPDATE run_events SET data = '{"type": "text_appended"}'"""
            """ WHERE run_id = $1 AND seq = 2""",
            strange,
        )
        await age_runs(cluster)
        await maintain(log)
        rows = await cluster.rows("SELECT id FROM runs WHERE folded")
        assert [row["id"] for row in rows] == [plain]


async def test_a_run_with_events_of_a_newer_version_is_not_folded(cluster: Cluster) -> None:
    """They are readable, and a fold by this version would lose what it does not know."""
    async with cluster.replica(0) as log:
        newer, plain = await complete_run(log, "x"), await complete_run(log, "y")
        await cluster.connection.execute(
            """UPDATE run_events SET version = 2027, data = data || '{"signature": "s"}'"""
            """ WHERE run_id = $1 AND seq = 2""",
            newer,
        )
        await age_runs(cluster)
        await maintain(log)
        rows = await cluster.rows("SELECT id FROM runs WHERE folded")
        assert [row["id"] for row in rows] == [plain]
        kept = "SELECT data->>'signature' FROM run_events WHERE run_id = $1 AND seq = 2"
        assert await cluster.value(kept, newer) == "s"


async def test_locked_runs_are_folded_later(cluster: Cluster) -> None:
    async with cluster.replica(0) as log, cluster.session() as other:
        run = await complete_run(log, "x")
        await age_runs(cluster)
        async with other.transaction():
            await other.execute("SELECT 1 FROM runs FOR UPDATE")
            await maintain(log)
            assert not await cluster.value("SELECT folded FROM runs WHERE id = $1", run)
        await maintain(log)
        assert await cluster.value("SELECT folded FROM runs WHERE id = $1", run)


# Retention


async def test_expired_logs_and_keys_are_deleted(cluster: Cluster) -> None:
    async with cluster.replica(0, retention_days=3) as log:
        old, recent = await complete_run(log, "old"), await complete_run(log, "recent")
        await log.admission.admit(admission(idempotency=Idempotency("r", "gone", b"h")))
        await cluster.connection.execute(
            "UPDATE idempotency SET expires_at = now() - interval '1 s'"
        )
        await log.admission.admit(admission(idempotency=Idempotency("r", "kept", b"h")))
        await age_runs(cluster)
        await maintain(log)
        await cluster.connection.execute(
            "UPDATE run_logs SET folded_at = now() - interval '4 days' WHERE run_id = $1", old
        )
        await maintain(log)
        assert [row["run_id"] for row in await cluster.rows("SELECT run_id FROM run_logs")] == [
            recent
        ]
        assert await cluster.value("SELECT array_agg(key) FROM idempotency") == ["kept"]
        assert len(await read_all(log, old)) == 1, "a snapshot is left"


# Who does it


async def test_one_process_maintains_at_a_time(cluster: Cluster) -> None:
    async with cluster.replica(0) as log:
        run = await complete_run(log, "x")
    await age_runs(cluster)
    async with (  # whose loops do not maintain meanwhile
        cluster.manual_replica(1) as one,
        cluster.manual_replica(2) as two,
        cluster.session() as other,
    ):
        async with other.transaction():
            await other.execute("LOCK TABLE run_logs IN SHARE MODE")
            leading = asyncio.get_running_loop().create_task(one._maintenance.maintain())
            await until(lambda: has_lock_waits(cluster))
            await within(two._maintenance.maintain())
            assert not leading.done()
        await within(leading)
        assert await cluster.value("SELECT folded FROM runs WHERE id = $1", run)
        await within(two._maintenance.maintain())
        held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
        assert await cluster.value(held) == 0


async def test_the_loop_continues_after_an_error(cluster: Cluster) -> None:
    async with cluster.replica(0, maintenance_s=0.05, fold_after_s=0) as log:
        await cluster.connection.execute("ALTER TABLE run_logs RENAME TO elsewhere")
        try:
            with capture_logs() as logs:
                await until(lambda: [e for e in logs if e["event"] == "maintenance_failed"])
        finally:
            await cluster.connection.execute("ALTER TABLE elsewhere RENAME TO run_logs")
        run = await complete_run(log, "x")
        await until(lambda: cluster.value("SELECT folded FROM runs WHERE id = $1", run))


async def test_a_step_that_fails_stops_no_other(cluster: Cluster) -> None:
    async with cluster.manual_replica(1) as log:
        await log.admission.admit(admission(idempotency=Idempotency("r", "old", b"h")))
        await cluster.connection.execute(
            "UPDATE idempotency SET expires_at = now() - interval '1 s'"
        )
        await cluster.connection.execute("ALTER TABLE runs RENAME COLUMN folded TO elsewhere")
        try:
            with capture_logs() as logs:
                await maintain(log)
                await maintain(log)
        finally:
            await cluster.connection.execute("ALTER TABLE runs RENAME COLUMN elsewhere TO folded")
        failed = [each for each in logs if each["event"] == "maintenance_failed"]
        assert [each["step"] for each in failed] == ["_fold_all", "_fold_all"]
        assert ["exc_info" in each for each in failed] == [True, False]
        assert await cluster.value("SELECT count(*) FROM idempotency") == 0


async def test_a_run_whose_folding_fails_is_left_alone(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with cluster.replica(0, maintenance_s=60) as log:
        odd, plain = await complete_run(log, "odd"), await complete_run(log, "plain")
        await age_runs(cluster)
        fold = maintenance.fold_events

        def fail_on_odd(events: list[LoggedEvent]) -> str:
            if events[0].run_id == odd:
                raise RecursionError
            return fold(events)

        monkeypatch.setattr(maintenance, "fold_events", fail_on_odd)
        with capture_logs() as logs:
            await maintain(log)
            await maintain(log)
        failed = [each for each in logs if each["event"] == "run_not_folded"]
        assert [(each["run_id"], each["exc_info"]) for each in failed] == [(odd.hex, True)]
        folded = await cluster.rows("SELECT id FROM runs WHERE folded")
        assert [row["id"] for row in folded] == [plain]


async def test_days_follow_the_database_clock(
    own: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A replica with a wrong clock creates and drops the same partitions as others."""
    async with own.manual_replica(1, days_ahead=0) as log:
        monkeypatch.setattr("time.time", lambda: 4e9)
        await maintain(log)
        monkeypatch.undo()
        assert set(await partitions(own)) == {
            "run_events_default",
            partition_name(await today(own)),
        }

"""The listener: events, cancellations and runs from other replicas, with and without NOTIFY."""

import asyncio
import time
from contextlib import AsyncExitStack

from structlog.testing import capture_logs
from tests.backend.adapters.runlog.executions import (
    Execution,
    claim_next,
    is_flushed,
    next_item,
    next_signal,
    read_all,
    start_executions,
    texts_of,
)
from tests.backend.adapters.runlog.fixtures import Cluster, admission
from tests.backend.adapters.runlog.proxy import Proxy
from tests.backend.adapters.runlog.watchdog import until, within

from cartrita.adapters.runlog.connection import UnpooledConnection
from cartrita.adapters.runlog.event_buffers import EventBuffer
from cartrita.adapters.runlog.run_log import RunLog
from cartrita.domain.events import LoggedEvent
from cartrita.domain.ids import RunId
from cartrita.domain.runs import CancelRequested, Queued


async def kill_listener(log: RunLog, cluster: Cluster) -> None:
    """Terminate the database session of the listener."""
    connection = await until(lambda: listening(log))
    await cluster.value("SELECT pg_terminate_backend($1)", connection.get_server_pid())


def ignore_notifications(log: RunLog) -> None:
    """Ignore all notifications from the next connection on."""

    def ignore(*_: object) -> None: ...

    vars(log._listener).update(_on_events=ignore, _on_queue=ignore)


def listening(log: RunLog) -> UnpooledConnection | None:
    connection = log._connections[2]._connection
    return None if connection is None or connection.is_closed() else connection


async def test_remote_events_arrive_by_notification(cluster: Cluster) -> None:
    """poll_s is an hour."""
    async with cluster.replica(0) as owner, cluster.replica(1, poll_s=3600) as elsewhere:
        [execution] = await start_executions(owner, 1)
        async with elsewhere.reader.tail(execution.run_id, 1) as tail:
            for word in ("one ", "two ", "three "):
                waiting = asyncio.get_running_loop().create_task(next_item(tail))
                await execution.write(word)
                assert texts_of([await within(waiting)]) == [word]


async def test_the_start_of_a_queued_run_arrives_by_notification(cluster: Cluster) -> None:
    """poll_s is an hour."""
    async with cluster.replica(0) as owner, cluster.replica(1, poll_s=3600) as elsewhere:
        elsewhere.stop_claiming()
        [first] = await start_executions(owner, 1)
        queued = await owner.admission.admit(admission(conversation_id=first.claim.conversation_id))
        async with elsewhere.reader.tail(queued.run_id, 0) as tail:
            assert await next_item(tail) == Queued(queued.run_id, 1)
            await first.complete()
            second = await claim_next(owner)
            started = await next_item(tail)
            assert isinstance(started, LoggedEvent)
            await second.write("word")
            assert texts_of([await next_item(tail)]) == ["word"]


async def test_events_arrive_after_the_listener_lost_its_connection(cluster: Cluster) -> None:
    async with cluster.replica(0) as owner, cluster.replica(1, poll_s=0.05) as elsewhere:
        [execution] = await start_executions(owner, 1)
        async with asyncio.TaskGroup() as tasks:
            reading = tasks.create_task(read_all(elsewhere, execution.run_id))
            for n in range(5):
                await kill_listener(elsewhere, cluster)
                await execution.write(f"word {n} ")
                await until(lambda: is_flushed(cluster, execution))
            await execution.complete()
        assert "".join(texts_of(reading.result())) == execution.answer.text


async def test_polling_replaces_lost_notifications(cluster: Cluster) -> None:
    """Without notifications, polls find cancellations, runs and events."""
    async with (
        cluster.replica(0, poll_s=0.05) as owner,
        cluster.replica(1, poll_s=0.05) as elsewhere,
    ):
        for log in (owner, elsewhere):
            ignore_notifications(log)
            await kill_listener(log, cluster)
        [execution] = await start_executions(owner, 1)
        async with elsewhere.reader.tail(execution.run_id, 1) as tail:
            await execution.write("found")
            assert texts_of([await next_item(tail)]) == ["found"]
        await elsewhere.cancellation.cancel("ann", execution.run_id)
        assert await next_signal(owner, CancelRequested) == CancelRequested(execution.run_id)
        owner.stop_claiming()
        left = await owner.admission.admit(admission())
        assert (await claim_next(elsewhere)).run_id == left.run_id


async def test_event_notifications_do_not_delay_the_queue_poll(cluster: Cluster) -> None:
    """A stream of event notifications must not postpone the poll for available runs."""
    async with cluster.replica(0) as chatty, cluster.replica(1, poll_s=0.2) as log:
        ignore_notifications(log)
        await kill_listener(log, cluster)
        chatty.stop_claiming()
        done = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(noise(cluster, done))
            left = await chatty.admission.admit(admission())
            assert (await claim_next(log)).run_id == left.run_id
            done.set()


async def noise(cluster: Cluster, done: asyncio.Event) -> None:
    async with cluster.session() as other:
        while not done.is_set():
            await other.execute("NOTIFY cartrita_events")
            await asyncio.sleep(0.01)


async def test_own_notifications_are_ignored(cluster: Cluster) -> None:
    async with cluster.manual_replica(1) as log:
        [execution] = await claim_runs(log)
        await execution.write("one")
        await log.writer._flush()
        pid = log.writer.backend_pid
        assert pid is not None
        log._listener._on_events(None, pid, "cartrita_events", None)
        assert not log._listener._notified.is_set()
        log._listener._on_events(None, pid + 1, "cartrita_events", None)
        assert log._listener._notified.is_set()


async def claim_runs(log: RunLog) -> list[Execution]:
    await log.admission.admit(admission())
    claim = await log.queue.claim()
    return [] if claim is None else [Execution(log, claim)]


async def test_an_unreadable_event_does_not_affect_other_runs(cluster: Cluster) -> None:
    async with cluster.replica(0) as owner, cluster.replica(1, poll_s=0.05) as elsewhere:
        strange, plain = await start_executions(owner, 2)
        async with (
            elsewhere.reader.tail(strange.run_id, 0) as puzzled,
            elsewhere.reader.tail(plain.run_id, 1) as tail,
        ):
            await next_item(puzzled)
            waiting = asyncio.get_running_loop().create_task(next_item(tail))
            await until(lambda: plain.run_id in elsewhere._buffers.remote())
            with capture_logs() as logs:
                await cluster.connection.execute(
                    """INSERT INTO run_events (run_id, seq, data)"""
                    """ VALUES ($1, 2, '{"type": "text_appended"}')""",
                    strange.run_id,
                )
                await until(lambda: [e for e in logs if e["event"] == "event_unknown"])
            await plain.write("fine")
            assert texts_of([await within(waiting)]) == ["fine"]


# How well the database was seen to be


async def test_health_is_the_time_of_unbroken_polls(cluster: Cluster) -> None:
    async with cluster.manual_replica(1, lease_s=30, poll_s=0.1) as log:
        watch = log._listener
        assert watch.healthy_for() == 0
        watch._record_health()
        since = watch._healthy_since
        watch._record_health()
        assert watch._healthy_since == since
        watch._last_poll = time.monotonic() - 11
        assert watch.healthy_for() == 0, "the last poll is older than a third of a lease"
        watch._record_health()
        assert watch._healthy_since > since, "health restarts after the gap"
        assert watch.healthy_for() >= 0


async def test_health_restarts_after_an_outage(cluster: Cluster, proxy: Proxy) -> None:
    async with cluster.replica(0, dsn=proxy.dsn) as log:
        await until(lambda: log.ready)
        before = log._listener._healthy_since
        proxy.cut(refusing=True)
        await until(lambda: not log.ready)
        assert log._listener.healthy_for() == 0
        proxy.refusing = False
        await until(lambda: log.ready)
        assert log._listener._healthy_since > before


async def test_a_network_partition_ends_health(cluster: Cluster, proxy: Proxy) -> None:
    """A hanging query raises no error, but does not count as a poll either."""
    async with cluster.replica(0, dsn=proxy.dsn, lease_s=3, poll_s=0.05) as log:
        await until(lambda: log.ready)
        proxy.flowing.clear()
        await until(lambda: log._listener.healthy_for() == 0)
        proxy.flowing.set()
        before = time.monotonic()
        await until(lambda: log._listener.healthy_for() > 0)
        assert log._listener._healthy_since >= before


async def test_the_listener_survives_database_errors(cluster: Cluster) -> None:
    async with cluster.replica(0, poll_s=0.05) as log:
        await cluster.connection.execute("ALTER TABLE runs RENAME TO elsewhere")
        try:
            with capture_logs() as logs:
                await until(lambda: [e for e in logs if e["event"] == "listener_interrupted"])
        finally:
            await cluster.connection.execute("ALTER TABLE elsewhere RENAME TO runs")
        await until(lambda: log.ready)


async def test_one_query_updates_the_queue_positions_of_all_readers(cluster: Cluster) -> None:
    async with cluster.replica(0) as log:
        [execution] = await start_executions(log, 1)
        talk = execution.claim.conversation_id
        asks = [admission(conversation_id=talk) for _ in range(3)]
        waiting = [(await log.admission.admit(ask)).run_id for ask in asks]
        async with AsyncExitStack() as stack:
            tails = [await stack.enter_async_context(log.reader.tail(run, 0)) for run in waiting]
            first = [await next_item(tail) for tail in tails]
            assert first == [Queued(run, n) for n, run in enumerate(waiting, 1)]
            buffers = log._buffers.queued()
            await until(lambda: [buffers[run].queue_position for run in waiting] == [1, 2, 3])
            own_looks: list[RunId] = []

            async def look(run_id: RunId, buffer: EventBuffer, cursor: int) -> None:
                own_looks.append(run_id)

            log.reader._query = look
            await log.cancellation.cancel("ann", waiting[1])
            assert await next_item(tails[2]) == Queued(waiting[2], 2)
            assert set(own_looks) <= {waiting[1]}, (
                "only readers of runs that left the queue query the database"
            )

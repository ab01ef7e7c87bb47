"""The run log as a items: a run from admission to its folded log, readiness and closing."""

import asyncio

import pytest
from tests.backend.adapters.runlog.executions import claim_next, complete_run, read_all
from tests.backend.adapters.runlog.fixtures import Cluster, admission, pool_is_idle
from tests.backend.adapters.runlog.proxy import Proxy
from tests.backend.adapters.runlog.watchdog import until, within

from cartrita.adapters.runlog.run_log import _cancel
from cartrita.domain.events import LoggedEvent, RunCompleted, RunStarted, TextAppended
from cartrita.domain.runs import RunStatus


async def test_readers_of_two_replicas_get_the_same_events(cluster: Cluster) -> None:
    async with cluster.replica(0) as here, cluster.replica(1) as there:
        admitted = await here.admission.admit(admission())
        assert admitted.created
        assert admitted.status is RunStatus.RUNNING
        async with asyncio.TaskGroup() as tasks:
            tails = [tasks.create_task(read_all(log, admitted.run_id)) for log in (here, there)]
            execution = await claim_next(here)
            for word in ("one ", "two ", "three"):
                await execution.write(word)
                await asyncio.sleep(0.03)
            await execution.complete()
        first, second = (task.result() for task in tails)
        assert first == second
        events = [item.event for item in first if isinstance(item, LoggedEvent)]
        assert isinstance(events[0], RunStarted)
        assert isinstance(events[-1], RunCompleted)
        texts = [event for event in events if isinstance(event, TextAppended)]
        assert "".join(event.text for event in texts) == "one two three"
        assert [seq for seq, _ in await cluster.events(admitted.run_id)] == list(
            range(1, len(events) + 1)
        )
        assert await cluster.status(admitted.run_id) == "completed"


async def test_a_folded_log_yields_the_same_events(cluster: Cluster) -> None:
    async with cluster.replica(maintenance_s=0.05, fold_after_s=0) as log:
        run = await complete_run(log, "one ", "two")
        await until(lambda: cluster.value("SELECT folded FROM runs WHERE id = $1", run))
        items = await read_all(log, run)
        assert await cluster.events(run) == []
        assert [item.seq for item in items if isinstance(item, LoggedEvent)] == list(
            range(1, len(items) + 1)
        )
        for after in range(len(items) + 1):
            assert await read_all(log, run, after) == items[after:]


async def test_ready_until_it_stops_claiming(cluster: Cluster) -> None:
    async with cluster.replica() as log:
        assert await until(lambda: log.ready)
        log.stop_claiming()
        assert not log.ready


async def test_closing_releases_the_lease(cluster: Cluster) -> None:
    async with cluster.replica(0), cluster.replica(1):
        assert await cluster.value("SELECT count(*) FROM replicas WHERE expires_at > now()") == 2
    released = "SELECT count(*) FROM replicas WHERE expires_at = '-infinity'"
    assert await cluster.value(released) == 2


async def test_closing_without_a_database_does_not_hang(cluster: Cluster, proxy: Proxy) -> None:
    async def short_life() -> None:
        async with cluster.replica(dsn=proxy.dsn) as log:
            await until(lambda: pool_is_idle(log))
            proxy.cut(refusing=True)

    await within(short_life())


async def test_a_loop_that_swallows_a_cancellation_is_cancelled_again() -> None:
    """A pool that loses a connection during a cancellation raises another error instead."""
    swallowed = 0

    async def stubborn() -> None:
        nonlocal swallowed
        while True:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                swallowed += 1
                if swallowed == 2:
                    raise

    async with asyncio.TaskGroup() as tasks:
        loops = [tasks.create_task(stubborn())]
        await asyncio.sleep(0)
        await within(_cancel(loops))
    assert swallowed == 2


@pytest.mark.parametrize(
    ("part", "step"), [("_replica", "_renew"), ("writer", "_flush"), ("_listener", "_poll")]
)
async def test_a_defect_in_what_keeps_the_runs_ends_the_process(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, part: str, step: str
) -> None:
    async def fail(*_: object) -> None:
        raise ZeroDivisionError

    with pytest.RaisesGroup(ZeroDivisionError):
        async with cluster.replica(0, lease_s=0.9) as log:
            monkeypatch.setattr(getattr(log, part), step, fail)
            log.writer._work.set()
            await within(asyncio.Event().wait())

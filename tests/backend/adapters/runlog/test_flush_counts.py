"""Flushes are counted when they are committed, and failures of them each time."""

import asyncio

from tests.backend.adapters.runlog.executions import start_executions
from tests.backend.adapters.runlog.fixtures import Cluster, block_flushes, has_lock_waits
from tests.backend.adapters.runlog.proxy import CommitFault, Proxy
from tests.backend.adapters.runlog.watchdog import until, within

from cartrita.domain.uncounted import Uncounted


class Kept(Uncounted):
    """Keeps what was counted."""

    def __init__(self) -> None:
        self.groups: list[tuple[int, int]] = []
        self.failures = 0

    def flushed(self, runs: int, events: int, seconds: float) -> None:
        assert 0 <= seconds < 60
        self.groups.append((runs, events))

    def flush_failed(self) -> None:
        self.failures += 1


async def test_a_group_is_counted_with_its_runs_and_events(cluster: Cluster) -> None:
    counts = Kept()
    async with cluster.replica(counts=counts) as log:
        several = await start_executions(log, 3)
        assert counts.groups == []  # admissions are no flushes
        async with block_flushes(cluster):
            await several[0].write("first ")
            await until(lambda: has_lock_waits(cluster))
            for execution in several:
                await execution.write("second ")
        await within(asyncio.gather(*[execution.complete() for execution in several]))
    assert counts.groups[0] == (1, 1)
    assert max(runs for runs, _ in counts.groups) == 3
    assert counts.failures == 0


async def test_an_outage_is_counted_and_the_group_once(cluster: Cluster, proxy: Proxy) -> None:
    counts = Kept()
    async with cluster.replica(dsn=proxy.dsn, counts=counts) as log:
        [execution] = await start_executions(log, 1)
        trap = proxy.trap(CommitFault.NEVER_ARRIVES, "heliotrope")
        await execution.write("first ")
        await until(lambda: cluster.text(execution.run_id))
        await execution.write("heliotrope")
        await within(execution.complete())
        assert trap.triggered.is_set()
        events = await cluster.events(execution.run_id)
    assert counts.failures >= 1
    assert sum(events for _, events in counts.groups) == len(events) - 1  # but its start

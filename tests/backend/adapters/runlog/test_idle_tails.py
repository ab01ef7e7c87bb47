"""Tails without events: heartbeats, deleted runs, drains and outages."""

import asyncio

import pytest
from tests.backend.adapters.runlog.executions import (
    next_item,
    read_all,
    read_rest,
    start_executions,
    texts_of,
)
from tests.backend.adapters.runlog.fixtures import Cluster, admission
from tests.backend.adapters.runlog.proxy import Proxy
from tests.backend.adapters.runlog.watchdog import until, within

from cartrita.domain.errors import NotFound, Unavailable
from cartrita.domain.ids import RunId
from cartrita.domain.runs import Queued
from cartrita.kit.ids import uuid7


async def test_an_unknown_run_is_not_found(cluster: Cluster) -> None:
    async with cluster.replica(0) as log:
        with pytest.raises(NotFound):
            await read_all(log, RunId(uuid7()))


async def test_a_deleted_run_ends_its_tails(cluster: Cluster) -> None:
    """Its terminal event may be deleted before readers of other replicas got it."""
    async with cluster.replica(0) as owner, cluster.replica(1, heartbeat_s=0.3) as elsewhere:
        [execution] = await start_executions(owner, 1)
        async with elsewhere.reader.tail(execution.run_id, 0) as tail:
            await next_item(tail)
            await cluster.connection.execute("DELETE FROM runs; DELETE FROM run_events")
            with pytest.raises(NotFound):
                await read_rest(tail)


async def test_a_tail_yields_none_at_every_heartbeat(cluster: Cluster) -> None:
    async with (
        cluster.replica(0, heartbeat_s=0.05) as owner,
        cluster.replica(1, heartbeat_s=0.05) as elsewhere,
    ):
        [execution] = await start_executions(owner, 1)
        for seen, log in enumerate((owner, elsewhere), 1):
            async with log.reader.tail(execution.run_id, seen) as tail:
                assert [await next_item(tail) for _ in range(3)] == [None] * 3
                await execution.write("word ")
                while (item := await next_item(tail)) is None:
                    pass
                assert texts_of([item])


async def test_the_tail_of_a_queued_run_has_heartbeats(cluster: Cluster) -> None:
    async with cluster.replica(0, heartbeat_s=0.05, poll_s=0.02) as log:
        [first] = await start_executions(log, 1)
        queued = await log.admission.admit(admission(conversation_id=first.claim.conversation_id))
        async with log.reader.tail(queued.run_id, 0) as tail:
            assert await next_item(tail) == Queued(queued.run_id, 1)
            assert await next_item(tail) is None
            assert await next_item(tail) is None


async def test_a_drain_ends_all_tails(cluster: Cluster) -> None:
    async with cluster.replica(0) as log:
        [execution] = await start_executions(log, 1)
        async with log.reader.tail(execution.run_id, 1) as tail:
            waiting = asyncio.get_running_loop().create_task(next_item(tail))
            await until(lambda: log._buffers._buffers[execution.run_id]._changed)
            log.disconnect_readers()
            with pytest.raises(Unavailable) as away:
                await within(waiting)
            assert away.value.code == "draining"
        with pytest.raises(Unavailable):
            await read_all(log, execution.run_id)
        await execution.write("goes on")
        await execution.complete()


async def test_an_idle_tail_survives_an_outage(cluster: Cluster, proxy: Proxy) -> None:
    async with (
        cluster.replica(0, dsn=proxy.dsn, heartbeat_s=0.05) as here,
        cluster.replica(1) as owner,
    ):
        [execution] = await start_executions(owner, 1)
        async with here.reader.tail(execution.run_id, 0) as tail:
            await next_item(tail)
            proxy.cut(refusing=True)
            assert [await next_item(tail) for _ in range(3)] == [None] * 3
            with pytest.raises(Unavailable):
                await read_all(here, execution.run_id)
            await execution.write("meanwhile")
            proxy.refusing = False
            while (item := await next_item(tail)) is None:
                pass
            assert texts_of([item]) == ["meanwhile"]


async def test_a_closed_tail_drops_its_buffer(cluster: Cluster) -> None:
    async with cluster.replica(0) as owner, cluster.replica(1) as elsewhere:
        [execution] = await start_executions(owner, 1)
        for log in (owner, elsewhere):
            async with log.reader.tail(execution.run_id, 0) as tail:
                await next_item(tail)
        assert elsewhere._buffers._buffers == {}
        assert set(owner._buffers._buffers) == {execution.run_id}
        await execution.complete()
        assert owner._buffers._buffers == {}

"""Replicas: taking, renewing, losing and releasing a lease."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from structlog.testing import capture_logs
from tests.backend.adapters.runlog.executions import lease_loss
from tests.backend.adapters.runlog.fixtures import Cluster, pool_is_idle
from tests.backend.adapters.runlog.proxy import Proxy
from tests.backend.adapters.runlog.watchdog import until, within

from cartrita.adapters.runlog.connection import DedicatedConnection, Timeouts
from cartrita.adapters.runlog.replica import Lease, Replica, fence
from cartrita.adapters.runlog.worker_slot import WorkerSlot
from cartrita.domain.errors import LeaseLost
from cartrita.kit.ids import uuid7

LEFT = (
    "SELECT extract(epoch FROM expires_at - clock_timestamp())::float8 FROM replicas WHERE id = $1"
)


def replica(cluster: Cluster, *, lease_s: float, dsn: str | None = None) -> Replica:
    link = DedicatedConnection(dsn or cluster.dsn, Timeouts(5, 5, 5))
    return Replica(link, WorkerSlot(cluster.instance, 0, 1), lease_s=lease_s)


async def test_a_lease_expires_on_the_database_clock(cluster: Cluster) -> None:
    lease = replica(cluster, lease_s=30)
    with pytest.raises(LeaseLost):
        _ = lease.lease
    await lease.register()
    assert 20 < await cluster.value(LEFT, lease.lease.id) <= 30
    assert lease.held
    await lease.release()
    assert not lease.held
    await lease.release()
    assert await cluster.value("SELECT expires_at = '-infinity' FROM replicas")
    lease._connection.interrupt()


async def test_heartbeats_renew_the_lease(cluster: Cluster) -> None:
    async with cluster.replica(0, lease_s=1.2) as log:
        lease = log._replica.lease
        safe = log._replica._safe_until
        await until(lambda: log._replica._safe_until > safe + 0.5)
        assert log._replica.lease == lease
        assert await cluster.value(LEFT, lease.id) > 0


async def test_a_revoked_lease_is_noticed_at_the_next_heartbeat(cluster: Cluster) -> None:
    async with cluster.replica(0, lease_s=1.2) as log:
        lease = log._replica.lease
        await cluster.connection.execute("UPDATE replicas SET epoch = epoch + 1")
        await lease_loss(log)
        await until(lambda: log._replica.held)
        assert log._replica.lease.id != lease.id


async def test_losing_an_old_lease_does_not_affect_the_new_one(cluster: Cluster) -> None:
    lease = replica(cluster, lease_s=30)
    await lease.register()
    old = lease.lease
    lease.lose_lease(old)
    assert not lease.held
    await lease.register()
    lease.lose_lease(old)
    assert lease.held
    with pytest.raises(LeaseLost):
        lease.require(old)
    lease.require(lease.lease)
    assert lease.holds(lease.lease)
    assert not lease.holds(old)
    lease._connection.interrupt()


async def test_a_lease_ends_by_time_alone(cluster: Cluster) -> None:
    """A process that slept past two thirds of its lease gives it up without a query."""
    lease = replica(cluster, lease_s=30)
    await lease.register()
    lease._safe_until = 0.0
    with pytest.raises(LeaseLost):
        _ = lease.lease
    assert not lease.held
    await lease.register()
    lease._safe_until = 0.0
    await lease._renew()
    assert not lease.held
    lease._connection.interrupt()


async def test_each_lost_lease_is_reported_once(cluster: Cluster) -> None:
    lease = replica(cluster, lease_s=30)
    await lease.register()
    losses = lease.lease_losses()
    for _ in range(2):
        telling = asyncio.get_running_loop().create_task(_next(losses))
        await asyncio.sleep(0)
        assert not telling.done()
        lease.lose_lease(lease.lease)
        await within(telling)
        await lease.register()
    lease._connection.interrupt()


async def _next(losses: AsyncIterator[None]) -> None:
    await anext(losses)


@pytest.mark.parametrize("sqlstate", ["53100", "25006", "P0001"])
async def test_heartbeats_continue_after_database_errors(cluster: Cluster, sqlstate: str) -> None:
    """After a full disk, a read-only standby or any error, it takes a new lease when it can."""
    async with cluster.replica(0, lease_s=0.9) as log:
        await cluster.connection.execute(
            "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            f" RAISE EXCEPTION 'no' USING ERRCODE = '{sqlstate}'; END $$;"
            "CREATE TRIGGER no BEFORE INSERT OR UPDATE ON replicas"
            " FOR EACH ROW EXECUTE FUNCTION no()"
        )
        try:
            with capture_logs() as logs:
                await until(lambda: [e for e in logs if e["event"] == "heartbeat_failed"])
            await until(lambda: not log._replica.held)
        finally:
            await cluster.connection.execute("DROP FUNCTION no() CASCADE")
        await until(lambda: log._replica.held)


async def test_a_failed_heartbeat_is_repeated_soon(cluster: Cluster) -> None:
    """A database that is away for a part of the lease is back before it is lost."""
    async with cluster.replica(0, lease_s=6) as log, cluster.session() as other:
        with capture_logs() as logs:
            await other.execute("ALTER TABLE replicas RENAME TO away")
            await until(lambda: not log._replica.held)
            await other.execute("ALTER TABLE away RENAME TO replicas")
        failures = [one for one in logs if one["event"] == "heartbeat_failed"]
        assert len(failures) > 5  # at the pace of heartbeats that succeed it would be 3
        await until(lambda: log._replica.held)


async def test_a_heartbeat_does_not_wait_for_a_flush(cluster: Cluster) -> None:
    """A commit may take seconds, and heartbeats must not wait for its fence."""
    async with cluster.replica(0, lease_s=1.5) as log, cluster.session() as other:
        lease = log._replica.lease
        async with other.transaction():
            await fence(other, lease)
            safe = log._replica._safe_until
            await until(lambda: log._replica._safe_until > safe + 0.3)
        assert log._replica.lease == lease


async def test_the_fence_of_an_unknown_lease_raises_lease_lost(cluster: Cluster) -> None:
    async with cluster.session() as other, other.transaction():
        with pytest.raises(LeaseLost):
            await fence(other, Lease(uuid7()))


async def test_a_lease_that_cannot_be_released_is_left_to_expire(
    cluster: Cluster, proxy: Proxy
) -> None:
    with capture_logs() as logs:
        async with cluster.replica(0, dsn=proxy.dsn) as log:
            await until(lambda: pool_is_idle(log))
            proxy.cut(refusing=True)
    assert [e for e in logs if e["event"] == "lease_not_released"]

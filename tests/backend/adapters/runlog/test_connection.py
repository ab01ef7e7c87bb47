"""Connections: translated errors, reconnecting, timeouts."""

import asyncio

import asyncpg
import pytest
from tests.backend.adapters.runlog.fixtures import Cluster
from tests.backend.adapters.runlog.proxy import Proxy
from tests.backend.adapters.runlog.watchdog import until, within

from cartrita.adapters.runlog.connection import (
    TRANSIENT_ERRORS,
    ConnectionPool,
    DedicatedConnection,
    Timeouts,
)
from cartrita.domain.errors import Busy, CartritaError, StorageFull, TookTooLong, Unavailable
from cartrita.kit.pool_use import PoolUse

TIMEOUTS = Timeouts(connect_s=5, statement_s=5, idle_s=5)


async def fails(pool: ConnectionPool, sqlstate: str) -> None:
    async with pool.acquire() as connection:
        await connection.execute(
            f"DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{sqlstate}'; END $$"
        )


@pytest.mark.parametrize(
    ("sqlstate", "kind"),
    [
        ("08006", Unavailable),
        ("57P01", Unavailable),
        ("57P02", Unavailable),
        ("57P03", Unavailable),
        ("57014", TookTooLong),
        ("53300", Unavailable),
        ("53200", Unavailable),
        ("53100", StorageFull),
        ("25006", Unavailable),
        ("25P03", Unavailable),
        ("40001", Unavailable),
        ("40P01", Unavailable),
        ("55P03", Unavailable),
        ("28P01", Unavailable),
        ("3D000", Unavailable),
    ],
)
async def test_transient_errors_become_service_errors(
    cluster: Cluster, sqlstate: str, kind: type[CartritaError]
) -> None:
    async with ConnectionPool.open(cluster.dsn, TIMEOUTS, size=1, wait_s=5) as pool:
        with pytest.raises(kind):
            await fails(pool, sqlstate)
        async with pool.acquire() as connection:
            assert await connection.fetchval("SELECT 1") == 1


async def test_a_use_that_takes_too_long_ends(cluster: Cluster) -> None:
    async with ConnectionPool.open(cluster.dsn, TIMEOUTS, size=1, wait_s=5) as pool:
        with pytest.raises(TookTooLong):
            async with pool.within(0.1).transaction() as connection:
                await connection.fetchval("SELECT pg_sleep(4)")
        async with pool.acquire() as connection:
            assert await connection.fetchval("SELECT 1") == 1


async def test_programming_errors_are_not_translated(cluster: Cluster) -> None:
    async with ConnectionPool.open(cluster.dsn, TIMEOUTS, size=1, wait_s=5) as pool:
        with pytest.raises(asyncpg.UndefinedTableError):
            async with pool.acquire() as connection:
                await connection.execute("SELECT * FROM nowhere")


async def test_an_exhausted_pool_is_unavailable(cluster: Cluster) -> None:
    async with (
        ConnectionPool.open(cluster.dsn, TIMEOUTS, size=1, wait_s=0.1) as pool,
        pool.acquire(),
    ):
        assert pool.in_use == PoolUse(used=1, idle=0, most=1)
        with pytest.raises(Unavailable):
            await within(fails(pool, "P0001"))


async def test_a_pool_that_others_use_is_busy_and_no_outage(cluster: Cluster) -> None:
    async with (
        ConnectionPool.open(cluster.dsn, TIMEOUTS, size=1, wait_s=0.5) as pool,
        asyncio.TaskGroup() as tasks,
    ):
        held, first, second = asyncio.Event(), asyncio.Event(), asyncio.Event()

        async def hold(until: asyncio.Event) -> None:
            async with pool.acquire():
                held.set()
                await until.wait()

        tasks.create_task(hold(first))
        await within(held.wait())
        tasks.create_task(hold(second))
        late = tasks.create_task(refused(pool.within(5)))
        await asyncio.sleep(0)
        first.set()
        error = await within(late)
        second.set()
    assert isinstance(error, Busy)
    assert error.code == "server_busy"
    assert error.retry_after == 2


async def refused(pool: ConnectionPool) -> CartritaError:
    with pytest.raises(CartritaError) as caught:
        await fails(pool, "P0001")
    return caught.value


async def test_a_failed_transaction_is_rolled_back(cluster: Cluster) -> None:
    async with ConnectionPool.open(cluster.dsn, TIMEOUTS, size=1, wait_s=5) as pool:
        with pytest.raises(RuntimeError):
            await half(pool)
        assert await cluster.value("SELECT count(*) FROM replicas") == 0


async def half(pool: ConnectionPool) -> None:
    async with pool.transaction() as connection:
        await connection.execute(
            "INSERT INTO replicas (id, instance, slot, expires_at)"
            " VALUES (gen_random_uuid(), gen_random_uuid(), 0, now())"
        )
        raise RuntimeError


async def test_a_broken_connection_is_replaced(cluster: Cluster, proxy: Proxy) -> None:
    async with ConnectionPool.open(proxy.dsn, TIMEOUTS, size=1, wait_s=5) as pool:
        with pytest.raises(Unavailable):
            await breaks(pool, proxy)
        async with pool.acquire() as connection:
            assert await connection.fetchval("SELECT 3") == 3


async def breaks(pool: ConnectionPool, proxy: Proxy) -> None:
    async with pool.acquire() as connection:
        proxy.cut()
        await connection.fetchval("SELECT 1")


async def test_concurrent_users_share_one_connection(cluster: Cluster) -> None:
    link = DedicatedConnection(cluster.dsn, TIMEOUTS)
    pids: list[int] = []

    async def used() -> None:
        async with link.acquire() as connection:
            pids.append(await connection.fetchval("SELECT pg_backend_pid()"))

    await within(asyncio.gather(*[used() for _ in range(5)]))
    assert len(set(pids)) == 1
    link.interrupt()
    link.interrupt()


async def test_a_dedicated_connection_is_reopened_after_transient_errors_only(
    cluster: Cluster,
) -> None:
    link = DedicatedConnection(cluster.dsn, TIMEOUTS)
    DedicatedConnection(cluster.dsn, TIMEOUTS).interrupt()

    async def pid() -> int:
        async with link.acquire() as connection:
            return await connection.fetchval("SELECT pg_backend_pid()")

    first = await pid()
    with pytest.raises(asyncpg.UndefinedTableError):
        async with link.acquire() as connection:
            await connection.execute("SELECT * FROM nowhere")
    assert await pid() == first
    with pytest.raises(TRANSIENT_ERRORS):
        await killed(link, cluster)
    second = await pid()
    assert second != first
    with pytest.raises(asyncio.CancelledError):
        async with link.acquire():
            raise asyncio.CancelledError
    assert await pid() != second
    link.interrupt()


async def killed(link: DedicatedConnection, cluster: Cluster) -> None:
    async with link.acquire() as connection:
        await cluster.value("SELECT pg_terminate_backend($1)", connection.get_server_pid())
        await connection.fetchval("SELECT 1")


async def test_interrupt_ends_a_running_query(cluster: Cluster) -> None:
    link = DedicatedConnection(cluster.dsn, TIMEOUTS)
    async with asyncio.TaskGroup() as tasks:
        sleeping = tasks.create_task(interrupted(link))
        await until(
            lambda: cluster.value(
                "SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep')"
            )
        )
        link.interrupt()
        await within(asyncio.wait([sleeping]))


async def interrupted(link: DedicatedConnection) -> None:
    with pytest.raises(TRANSIENT_ERRORS):
        await sleeps(link)


async def sleeps(link: DedicatedConnection) -> None:
    async with link.acquire() as connection:
        await connection.execute("SELECT pg_sleep(60)")


async def test_the_server_enforces_the_timeouts(cluster: Cluster) -> None:
    timeouts = Timeouts(connect_s=5, statement_s=0.25, idle_s=1.5)
    async with (
        ConnectionPool.open(cluster.dsn, timeouts, size=1, wait_s=5) as pool,
        pool.acquire() as connection,
    ):
        shown = [
            await connection.fetchval(f"SHOW {name}")
            for name in ("statement_timeout", "idle_in_transaction_session_timeout")
        ]
    assert shown == ["250ms", "1500ms"]


async def test_the_use_of_a_pool(cluster: Cluster) -> None:
    async with ConnectionPool.open(cluster.dsn, TIMEOUTS, size=3, wait_s=5) as pool:
        assert pool.in_use == PoolUse(used=0, idle=0, most=3)
        async with pool.acquire():
            assert pool.within(1.0).in_use == PoolUse(used=1, idle=0, most=3)
        assert pool.in_use == PoolUse(used=0, idle=1, most=3)

"""The pool: what its failures become, and that it heals."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from tests.harness.database import TemporaryDatabase

from cartrita.adapters.persistence.database import Database
from cartrita.domain.errors import CartritaError, ErrorKind, StorageFull, TookTooLong, Unavailable
from cartrita.kit.pool_use import PoolUse

BACKEND = text("SELECT pg_backend_pid()")
WATCHDOG_S = 20.0


@pytest.fixture
async def single(database: TemporaryDatabase) -> AsyncGenerator[Database]:
    """Connecting may take as long as a busy machine needs for it."""
    made = Database(database.dsn, pool_size=1, pool_wait_s=WATCHDOG_S, application_name="one")
    yield made
    await made.close()


@pytest.fixture
async def impatient(database: TemporaryDatabase) -> AsyncGenerator[Database]:
    made = Database(database.dsn, pool_size=1, pool_wait_s=1.0)
    yield made
    await made.close()


async def raising(pool: Database, sqlstate: str) -> None:
    async with pool.use() as connection:
        raised = f"DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{sqlstate}'; END $$"
        await connection.execute(text(raised))


async def works(pool: Database) -> int:
    async with pool.use() as connection:
        return int((await connection.execute(BACKEND)).scalar_one())


async def unavailable(url: str) -> Unavailable:
    pool = Database(url, pool_wait_s=0.2)
    try:
        async with asyncio.timeout(WATCHDOG_S):
            with pytest.raises(Unavailable) as refusal:
                await works(pool)
    finally:
        await pool.close()
    return refusal.value


async def test_single_statements_are_kept_and_transactions_are_undone(single: Database) -> None:
    async with single.use() as connection:
        await connection.execute(text("CREATE TABLE t (n int)"))
    with pytest.raises(DBAPIError):
        await _half_done(single)
    async with single.transaction() as connection:
        await connection.execute(text("INSERT INTO t VALUES (2)"))
    async with single.use() as connection:
        assert list((await connection.execute(text("SELECT n FROM t"))).scalars()) == [2]


async def _half_done(pool: Database) -> None:
    async with pool.transaction() as connection:
        await connection.execute(text("INSERT INTO t VALUES (1)"))
        await connection.execute(text("INSERT INTO t VALUES ('x')"))


async def test_a_pool_that_others_use_is_busy_and_no_outage(impatient: Database) -> None:
    async with asyncio.TaskGroup() as tasks:
        held, first, second = asyncio.Event(), asyncio.Event(), asyncio.Event()

        async def hold(until: asyncio.Event) -> None:
            async with impatient.use():
                held.set()
                await until.wait()

        tasks.create_task(hold(first))
        async with asyncio.timeout(WATCHDOG_S):
            await held.wait()
        tasks.create_task(hold(second))
        late = tasks.create_task(_refused(impatient))
        await asyncio.sleep(0)
        first.set()
        error = await late
        second.set()
    assert (error.code, error.retry_after) == ("server_busy", 2)


async def _refused(pool: Database) -> CartritaError:
    with pytest.raises(CartritaError) as refusal:
        await works(pool)
    return refusal.value


async def test_a_server_that_is_not_there(database: TemporaryDatabase) -> None:
    refusal = await unavailable("postgresql://nobody@127.0.0.1:1/none")
    assert refusal.retryable
    assert refusal.retry_after == 1
    missing = replace(database.endpoint, database="none_such")
    await unavailable(missing.dsn())


async def test_a_server_that_accepts_and_says_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        await unavailable(f"postgresql://nobody@127.0.0.1:{port}/none")


async def test_no_connection_left(impatient: Database) -> None:
    async with impatient.use(), asyncio.timeout(WATCHDOG_S):
        with pytest.raises(Unavailable):
            await works(impatient)
    assert await works(impatient)


async def test_a_connection_lost_in_use_and_the_next_one(single: Database) -> None:
    with pytest.raises(Unavailable):
        async with single.transaction() as connection:
            await connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    assert await works(single)


async def _used_after_it_broke(pool: Database) -> None:
    async with pool.transaction() as connection:
        driver: Any = (await connection.get_raw_connection()).driver_connection
        driver.terminate()
        await connection.execute(text("SELECT 1"))


async def test_a_connection_that_broke_before_it_was_used(single: Database) -> None:
    """The driver's own errors have no SQLSTATE, and SQLAlchemy wraps only some of them."""
    with pytest.raises(Unavailable):
        await _used_after_it_broke(single)
    for error in (asyncpg.InternalClientError("unexpected"), asyncpg.InterfaceError("closed")):
        with pytest.raises(Unavailable):
            async with single.use():
                raise error
    assert await works(single)


async def test_a_connection_lost_while_idle_is_not_noticed(
    single: Database, pool: Database
) -> None:
    async with single.use() as connection:
        driver = (await connection.get_raw_connection()).driver_connection
    assert driver is not None
    gone = asyncio.Event()

    def tell(_: object) -> None:
        gone.set()

    driver.add_termination_listener(tell)
    async with pool.use() as connection:
        ended = text(f"SELECT pg_terminate_backend({driver.get_server_pid()}, 10000)")
        assert (await connection.execute(ended)).scalar_one()
    async with asyncio.timeout(WATCHDOG_S):
        await gone.wait()
    assert await works(single)


@pytest.mark.parametrize(
    ("sqlstate", "kind"),
    [
        ("53100", ErrorKind.STORAGE_FULL),
        ("53300", ErrorKind.UNAVAILABLE),
        ("57P03", ErrorKind.UNAVAILABLE),
        ("40P01", ErrorKind.UNAVAILABLE),
        ("25006", ErrorKind.UNAVAILABLE),
        ("57014", ErrorKind.UNAVAILABLE),
    ],
)
async def test_what_the_database_says(single: Database, sqlstate: str, kind: ErrorKind) -> None:
    with pytest.raises((Unavailable, StorageFull)) as refusal:
        await raising(single, sqlstate)
    assert refusal.value.kind is kind
    assert await works(single)


async def test_our_own_mistakes_stay_what_they_are_without_what_people_wrote(
    single: Database,
) -> None:
    with pytest.raises(DBAPIError) as mistake:
        async with single.use() as connection:
            await connection.execute(text("SELECT :words WHERE none"), {"words": "a secret"})
    assert not isinstance(mistake.value, CartritaError)
    assert "a secret" not in str(mistake.value)


async def test_a_slow_statement_is_ended(database: TemporaryDatabase) -> None:
    pool = Database(database.dsn, statement_timeout_s=0.05)
    async with asyncio.timeout(WATCHDOG_S):
        with pytest.raises(TookTooLong, match="too long"):
            async with pool.use() as connection:
                await connection.execute(text("SELECT pg_sleep(60)"))
    await pool.close()


async def test_the_server_can_tell_whose_connection_it_is(single: Database) -> None:
    async with single.use() as connection:
        name = await connection.execute(text("SELECT current_setting('application_name')"))
        assert name.scalar_one() == "one"


async def test_the_use_of_a_pool(single: Database) -> None:
    assert single.in_use.used == 0
    async with single.use():
        assert single.in_use == PoolUse(used=1, idle=0, most=1)
    assert single.in_use == PoolUse(used=0, idle=1, most=1)

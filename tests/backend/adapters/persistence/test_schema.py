"""Upgrading the schema: from nothing, again, by many at once, and where it must refuse."""

import asyncio
from dataclasses import replace

import asyncpg
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, make_url
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool
from tests.harness.database import Postgres, TemporaryDatabase

from cartrita.adapters.persistence import schema
from cartrita.adapters.persistence.schema import SchemaForbidden, SchemaTooNew
from cartrita.kit.secret import Secret


async def execute(dsn: str, *statements: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def upgrade_to(revision: str, dsn: str) -> None:
    """Migrate an empty database, and not to the end."""
    config = Config()
    config.set_main_option("script_location", str(schema.folder()))

    def upgrade(connection: Connection) -> None:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        connection.commit()

    url = make_url(dsn).set(drivername="postgresql+asyncpg")
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(upgrade)


async def revision(database: TemporaryDatabase) -> str:
    connection = await asyncpg.connect(database.dsn)
    try:
        return str(await connection.fetchval("SELECT version_num FROM alembic_version"))
    finally:
        await connection.close()


@pytest.fixture
def empty(postgres: Postgres) -> TemporaryDatabase:
    return postgres.create_empty()


async def test_many_processes_upgrade_an_empty_database_once(empty: TemporaryDatabase) -> None:
    await asyncio.gather(*(schema.upgrade(empty.dsn) for _ in range(4)))
    assert await revision(empty) == schema.head()
    await schema.upgrade(empty.dsn)
    assert await revision(empty) == schema.head()


async def test_a_newer_schema_is_refused(database: TemporaryDatabase) -> None:
    await execute(database.dsn, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(SchemaTooNew, match="schema 9999"):
        await schema.upgrade(database.dsn)
    assert await revision(database) == "9999"


async def test_a_role_that_may_not_create_tables_is_told_so(
    postgres: Postgres, empty: TemporaryDatabase
) -> None:
    admin = replace(postgres.admin, database=empty.endpoint.database).dsn()
    await execute(
        admin,
        "DROP ROLE IF EXISTS reader",
        "CREATE ROLE reader LOGIN PASSWORD 'reader'",
        "REVOKE CREATE ON SCHEMA public FROM public",
    )
    reader = replace(empty.endpoint, user="reader", password=Secret("reader"))
    with pytest.raises(SchemaForbidden, match="may not create tables"):
        await schema.upgrade(reader.dsn())
    await execute(admin, "DROP ROLE reader")


async def test_owners_become_users_of_a_tenant_each(empty: TemporaryDatabase) -> None:
    """Their keys stay, and the server's own person is its admin."""
    await upgrade_to("0004", empty.dsn)
    await execute(
        empty.dsn,
        "INSERT INTO api_keys (id, owner_id, name, digest) VALUES "
        "('a', 'ann', 'n', ''), ('b', 'ann', 'n', ''), ('c', 'My Friend', 'n', ''), "
        "('d', 'local', 'n', '')",
    )
    await schema.upgrade(empty.dsn)
    connection = await asyncpg.connect(empty.dsn)
    try:
        rows = await connection.fetch("SELECT id, tenant_id, role FROM users ORDER BY id")
        keys = await connection.fetchval("SELECT count(*) FROM api_keys WHERE scopes = '{}'")
    finally:
        await connection.close()
    assert [tuple(row) for row in rows] == [
        ("My Friend", "My Friend", "member"),
        ("ann", "ann", "member"),
        ("local", "local", "admin"),
    ]
    assert keys == 4


async def test_a_long_transaction_holds_up_the_desktops_tables_and_nobody_else(
    empty: TemporaryDatabase,
) -> None:
    await upgrade_to("0017", empty.dsn)
    long, other = await asyncpg.connect(empty.dsn), await asyncpg.connect(empty.dsn)
    try:
        held = long.transaction()
        await held.start()
        await long.execute("DELETE FROM approvals")  # as an old replica that does not end it
        upgrading = asyncio.ensure_future(schema.upgrade(empty.dsn))
        wanted = "SELECT FROM pg_locks WHERE relation = 'approvals'::regclass AND NOT granted"
        while not await other.fetch(wanted):
            assert not upgrading.done()
        for _ in range(2):
            await other.execute("DELETE FROM approvals", timeout=60)
            await other.execute("DELETE FROM conversations", timeout=60)
        assert not upgrading.done()
        await held.commit()
        await upgrading
    finally:
        await long.close()
        await other.close()
    assert await revision(empty) == schema.head()


async def test_now_and_then_the_desktops_tables_are_waited_for_until_a_vacuum_would_end(
    empty: TemporaryDatabase,
) -> None:
    """Postgres ends an autovacuum for who has waited for deadlock_timeout, and is told so."""
    await upgrade_to("0017", empty.dsn)
    long, other = await asyncpg.connect(empty.dsn), await asyncpg.connect(empty.dsn)
    waited = (
        "SELECT FROM pg_locks WHERE relation = 'attachments'::regclass AND NOT granted "
        "AND clock_timestamp() - waitstart > current_setting('deadlock_timeout')::interval"
    )
    try:
        held = long.transaction()
        await held.start()
        await long.execute("DELETE FROM attachments")
        upgrading = asyncio.ensure_future(schema.upgrade(empty.dsn))
        async with asyncio.timeout(60):
            while not await other.fetch(waited):
                assert not upgrading.done()
        await held.commit()
        await upgrading
    finally:
        await long.close()
        await other.close()
    assert await revision(empty) == schema.head()


async def test_who_deletes_messages_and_who_reads_them_go_on_while_the_schema_is_upgraded(
    empty: TemporaryDatabase,
) -> None:
    """Deleting a message locks it, and then the feedback on it."""
    await upgrade_to("0022", empty.dsn)
    long, other = await asyncpg.connect(empty.dsn), await asyncpg.connect(empty.dsn)
    wanted = "SELECT FROM pg_locks WHERE relation = 'messages'::regclass AND NOT granted"
    try:
        held = long.transaction()
        await held.start()
        await long.execute("DELETE FROM messages")
        upgrading = asyncio.ensure_future(schema.upgrade(empty.dsn))
        async with asyncio.timeout(60):
            while not await other.fetch(wanted):
                assert not upgrading.done()
        await long.execute("DELETE FROM feedback", timeout=60)
        for _ in range(2):
            await other.fetch("SELECT FROM messages", timeout=60)
            await other.execute("DELETE FROM feedback", timeout=60)
        assert not upgrading.done()
        await held.commit()
        await upgrading
    finally:
        await long.close()
        await other.close()
    assert await revision(empty) == schema.head()

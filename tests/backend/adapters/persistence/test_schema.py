"""Upgrading the schema: from nothing, again, by many at once, and where it must refuse."""

import asyncio
from dataclasses import replace

import asyncpg
import pytest
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

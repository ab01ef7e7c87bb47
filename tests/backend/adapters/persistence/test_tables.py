"""The Core tables say what the migrations make."""

import pytest
from sqlalchemy import Column, Connection, Inspector, inspect, make_url
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool
from sqlalchemy.types import TypeEngine
from tests.harness.database import TemporaryDatabase

from cartrita.adapters.persistence.tables.metadata import metadata

Shape = dict[str, dict[str, tuple[str, bool]]]


@pytest.fixture
async def migrated(database: TemporaryDatabase) -> tuple[Shape, dict[str, set[str]]]:
    url = make_url(database.dsn).set(drivername="postgresql+asyncpg")
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.connect() as connection:
        return await connection.run_sync(_reflect)


async def test_columns_types_and_nullability_are_the_same(
    migrated: tuple[Shape, dict[str, set[str]]],
) -> None:
    written = {
        table.name: {column.name: _column(column) for column in table.columns}
        for table in metadata.tables.values()
    }
    assert written == migrated[0]


async def test_primary_keys_are_the_same(migrated: tuple[Shape, dict[str, set[str]]]) -> None:
    written = {
        table.name: {column.name for column in table.primary_key}
        for table in metadata.tables.values()
    }
    assert written == migrated[1]


def _column(column: Column[object]) -> tuple[str, bool]:
    return _type(column.type), bool(column.nullable)


def _type(kind: TypeEngine[object]) -> str:
    return kind.compile(dialect=postgresql.dialect())


def _reflect(connection: Connection) -> tuple[Shape, dict[str, set[str]]]:
    inspector = inspect(connection)
    names = [
        name
        for name in inspector.get_table_names()
        if name != "alembic_version" and not name.startswith("run_events_")
    ]
    shape = {name: _columns(inspector, name) for name in names}
    keys = {name: set(inspector.get_pk_constraint(name)["constrained_columns"]) for name in names}
    return shape, keys


def _columns(inspector: Inspector, name: str) -> dict[str, tuple[str, bool]]:
    return {
        column["name"]: (_type(column["type"]), bool(column["nullable"]))
        for column in inspector.get_columns(name)
    }

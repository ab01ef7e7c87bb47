"""A real PostgreSQL for tests: one server for each test session, a fresh database for each test."""

import asyncio
import shutil
from dataclasses import dataclass, replace
from itertools import count
from types import TracebackType
from typing import Any, Self

import asyncpg
from tests.harness import scratch

from cartrita.adapters.persistence import schema
from cartrita.adapters.postgres import DatabaseEndpoint, Supervisor
from cartrita.adapters.postgres.initdb import SUPERUSER

_TEMPLATE = "template_migrated"


@dataclass(frozen=True)
class TemporaryDatabase:
    """One migrated, empty database, gone after its test; its role owns it and nothing else."""

    endpoint: DatabaseEndpoint

    @property
    def dsn(self) -> str:
        """`postgresql://`, with the password."""
        return self.endpoint.dsn()


class Postgres:
    """The server, started as the product starts it, but careless about power cuts."""

    def __init__(self, *, max_connections: int = 100) -> None:
        self.folder = scratch.folder("cartrita-test-postgres-")
        self._supervisor = Supervisor(self.folder / "data", max_connections=max_connections)
        self._loop = asyncio.Runner()
        self._numbers = count(1)

    def __enter__(self) -> Self:
        try:
            self.endpoint = self._supervisor.start()
            self.admin = replace(self.endpoint, user=SUPERUSER, database="postgres")
            self._loop.run(self._prepare())
        except BaseException:
            self._clean_up()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._clean_up()

    @property
    def pid(self) -> int | None:
        return self._supervisor.pid

    def create(self) -> TemporaryDatabase:
        """A copy of the migrated template: about 20 ms."""
        name = f"test_{next(self._numbers)}"
        self._loop.run(self._create(name, _TEMPLATE))
        return TemporaryDatabase(replace(self.endpoint, database=name))

    def add_pgvector(self, database: TemporaryDatabase) -> None:
        """As the supervisor does in the product's database."""
        self._loop.run(self._add_pgvector(replace(database.endpoint, user=SUPERUSER).dsn()))

    def create_empty(self) -> TemporaryDatabase:
        """One without any table, for migrations."""
        name = f"test_{next(self._numbers)}"
        self._loop.run(self._create(name, "template0"))
        return TemporaryDatabase(replace(self.endpoint, database=name))

    def drop(self, database: TemporaryDatabase) -> None:
        """With whatever is still connected to it."""
        self._loop.run(self._drop(database.endpoint.database))

    async def _prepare(self) -> None:
        self._connection: Any = await asyncpg.connect(self.admin.dsn())
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            await self._connection.execute(f"ALTER SYSTEM SET {setting} = off")
        await self._connection.execute("SELECT pg_reload_conf()")
        await self._create(_TEMPLATE, "template0")
        await schema.upgrade(replace(self.endpoint, database=_TEMPLATE).dsn())

    async def _create(self, name: str, template: str) -> None:
        await self._connection.execute(
            f"CREATE DATABASE {name} TEMPLATE {template} OWNER {self.endpoint.user}"
        )

    async def _add_pgvector(self, dsn: str) -> None:
        connection: Any = await asyncpg.connect(dsn)
        await connection.execute("CREATE EXTENSION vector")
        await connection.close()

    async def _drop(self, name: str) -> None:
        await self._connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    async def _disconnect(self) -> None:
        if hasattr(self, "_connection"):
            await self._connection.close()

    def _clean_up(self) -> None:
        try:
            self._loop.run(self._disconnect())
        finally:
            self._loop.close()
            self._supervisor.stop()
            shutil.rmtree(self.folder)

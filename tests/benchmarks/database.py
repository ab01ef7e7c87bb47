"""A PostgreSQL for benchmarks: started as the product starts it, durable, on a new data folder."""

import asyncio
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import asyncpg

from cartrita.adapters.persistence import schema
from cartrita.adapters.postgres import DatabaseEndpoint, Supervisor
from cartrita.adapters.postgres.initdb import SUPERUSER

_TEMPLATE = "bench_template"
_DURABLE = ("fsync", "full_page_writes", "synchronous_commit")


class PostgresServer:
    """One server; each measurement gets a migrated, empty database of its own."""

    def __init__(self, endpoint: DatabaseEndpoint, runner: asyncio.Runner, admin: Any) -> None:
        self._endpoint = endpoint
        self._runner = runner
        self._admin = admin
        self._made = 0

    @classmethod
    @contextmanager
    def opened(cls) -> Generator[Self]:
        """Refuses to measure a server that would lose what it has committed."""
        folder = Path(tempfile.mkdtemp(prefix="cartrita-bench-"))
        folder.chmod(0o711)  # Postgres runs as another user where we run as root
        supervisor = Supervisor(folder / "data", max_connections=100)
        runner = asyncio.Runner()
        try:
            endpoint = supervisor.start()
            admin = runner.run(_prepare(endpoint))
            yield cls(endpoint, runner, admin)
            runner.run(admin.close())
        finally:
            runner.close()
            supervisor.stop()
            shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def database(self) -> Generator[DatabaseEndpoint]:
        """A fresh database, with the last measurement's dirty pages written out before."""
        self._made += 1
        name = f"bench_{self._made}"
        role = self._endpoint.user
        self._run(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE} OWNER {role}", "CHECKPOINT")
        try:
            yield replace(self._endpoint, database=name)
        finally:
            self._run(f"DROP DATABASE {name} WITH (FORCE)")

    def _run(self, *statements: str) -> None:
        for statement in statements:
            self._runner.run(self._admin.execute(statement))


async def _prepare(endpoint: DatabaseEndpoint) -> Any:
    admin: Any = await asyncpg.connect(replace(endpoint, user=SUPERUSER, database="postgres").dsn())
    for name in _DURABLE:
        value = await admin.fetchval("SELECT current_setting($1)", name)
        if value != "on":
            raise RuntimeError(f"PostgreSQL runs with {name}={value}: nothing here would count.")
    await admin.execute(f"CREATE DATABASE {_TEMPLATE} TEMPLATE template0 OWNER {endpoint.user}")
    await schema.upgrade(replace(endpoint, database=_TEMPLATE).dsn())
    return admin

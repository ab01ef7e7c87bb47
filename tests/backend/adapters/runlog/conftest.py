"""The database of all run log tests, emptied before each; creating one takes longer than a test."""

import shutil
import tempfile
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from tests.backend.adapters.runlog.fixtures import Cluster
from tests.backend.adapters.runlog.proxy import Proxy
from tests.harness.database import Postgres, TemporaryDatabase

# Deleting a few rows takes a tenth of the time of TRUNCATE.
_EMPTY = "".join(
    f"DELETE FROM {table};"
    for table in (
        "run_events",
        "run_logs",
        "idempotency",
        "runs",
        "messages",
        "conversations",
        "replicas",
    )
)


@pytest.fixture(scope="session")
def shared(postgres: Postgres) -> Iterator[TemporaryDatabase]:
    created = postgres.create()
    yield created
    postgres.drop(created)


@pytest.fixture
async def cluster(shared: TemporaryDatabase) -> AsyncGenerator[Cluster]:
    direct: Any = await asyncpg.connect(shared.dsn)
    try:
        await direct.execute(_EMPTY)
        yield Cluster(shared.endpoint, direct)
    finally:
        await direct.close()


@pytest.fixture
async def proxy(shared: TemporaryDatabase) -> AsyncGenerator[Proxy]:
    folder = Path(tempfile.mkdtemp(prefix="cartrita-test-proxy-"))
    try:
        async with Proxy.open(shared.endpoint, folder) as made:
            yield made
    finally:
        shutil.rmtree(folder)

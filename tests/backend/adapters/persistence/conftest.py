"""A pool on the test's own database."""

from collections.abc import AsyncGenerator

import pytest
from tests.harness.database import TemporaryDatabase

from cartrita.adapters.persistence.database import Database


@pytest.fixture
async def pool(database: TemporaryDatabase) -> AsyncGenerator[Database]:
    made = Database(database.dsn, pool_size=4, pool_wait_s=30)  # on a busy machine
    yield made
    await made.close()

"""The database of tests: fresh for each, and nothing of it is left behind."""

from typing import Any

import asyncpg
import psutil
import pytest
from tests.harness.database import Postgres, TemporaryDatabase
from tests.harness.rows import counted, stored_conversation

from cartrita.adapters.persistence.database import Database


@pytest.mark.parametrize("turn", [1, 2])
async def test_each_test_begins_with_an_empty_database(
    database: TemporaryDatabase, turn: int
) -> None:
    assert (await counted(database.dsn))["conversations"] == 0
    pool = Database(database.dsn)
    await stored_conversation(pool)
    await pool.close()
    assert (await counted(database.dsn))["conversations"] == 1


async def test_its_role_is_no_superuser(database: TemporaryDatabase) -> None:
    connection: Any = await asyncpg.connect(database.dsn)
    try:
        assert await connection.fetchval("SHOW is_superuser") == "off"
    finally:
        await connection.close()


def test_nothing_is_left_of_a_server() -> None:
    with Postgres() as server:
        pid, folder = server.pid, server.folder
        assert pid is not None
        assert psutil.pid_exists(pid)
        server.create()
    assert not psutil.pid_exists(pid)
    assert not folder.exists()

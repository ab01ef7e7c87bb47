"""Daily partitions of run_events: created ahead of time, dropped when they are empty."""

from collections.abc import Coroutine
from contextlib import suppress
from datetime import date, timedelta

import asyncpg
import structlog

from cartrita.adapters.runlog.connection import Connection

log = structlog.get_logger(__name__)

_PREFIX = "run_events_"
_PARTITIONS = """
SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'run_events'::regclass
"""
_TODAY = "SELECT (clock_timestamp() AT TIME ZONE 'UTC')::date"
_FIRST_ID = "SELECT cartrita_uuid7_floor($1::text::timestamptz)"
_MOVE = """
WITH early AS (DELETE FROM run_events_default WHERE run_id >= $1 AND run_id < $2 RETURNING *)
INSERT INTO {name} SELECT * FROM early
"""
_MADE_BY_ANOTHER = (asyncpg.DuplicateTableError, asyncpg.UniqueViolationError)


async def maintain_partitions(connection: Connection, *, days_ahead: int) -> None:
    """Create the partitions of today and `days_ahead` more days; drop empty old ones.

    Days are counted on the database's clock, which also makes the run ids.
    """
    today: date = await connection.fetchval(_TODAY)
    names = {row["name"] for row in await connection.fetch(_PARTITIONS)}
    for day in [today + timedelta(days=days) for days in range(days_ahead + 1)]:
        if _name(day) not in names:
            with suppress(*_MADE_BY_ANOTHER):  # workers that start together, each for itself
                await _try(_create(connection, day))
    for name in names:
        day = _day(name)
        if day is not None and day < today - timedelta(days=1):
            await _try(_drop_if_empty(connection, name))


async def _try(work: Coroutine[None, None, None]) -> None:
    """Writers have precedence: work that does not get its lock in time is left to a later run."""
    try:
        await work
    except _MADE_BY_ANOTHER:
        raise
    except asyncpg.PostgresError as error:
        log.warning("partition_left", error=type(error).__name__)


async def _create(connection: Connection, day: date) -> None:
    """Create a table and attach it, which locks less than creating a partition.

    Rows of that day in the default partition are moved.
    """
    name, bounds = _name(day), (f"{day:%Y-%m-%d} UTC", f"{day + timedelta(days=1):%Y-%m-%d} UTC")
    async with connection.transaction():
        await connection.execute("SET LOCAL lock_timeout = '1s'")
        await connection.execute(f"CREATE TABLE {name} (LIKE run_events INCLUDING ALL)")
        low, high = [await connection.fetchval(_FIRST_ID, bound) for bound in bounds]
        await connection.execute("LOCK TABLE run_events_default IN ACCESS EXCLUSIVE MODE")
        await connection.execute(_MOVE.format(name=name), low, high)
        await connection.execute(
            f"ALTER TABLE run_events ATTACH PARTITION {name}"
            f" FOR VALUES FROM ('{low}') TO ('{high}')"
        )


async def _drop_if_empty(connection: Connection, name: str) -> None:
    """Drop a partition whose runs are all folded.

    The lock timeout is short, because every statement on run_events queues behind this lock.
    """
    async with connection.transaction():
        await connection.execute("SET LOCAL lock_timeout = '50ms'")
        if await connection.fetchval(f"SELECT EXISTS (SELECT 1 FROM {name})"):
            return
        await connection.execute("LOCK TABLE run_events IN ACCESS EXCLUSIVE MODE")
        if not await connection.fetchval(f"SELECT EXISTS (SELECT 1 FROM {name})"):
            await connection.execute(f"DROP TABLE {name}")


def _name(day: date) -> str:
    return f"{_PREFIX}{day:%Y%m%d}"


def _day(name: str) -> date | None:
    digits = name.removeprefix(_PREFIX)
    return date.fromisoformat(digits) if digits.isdigit() else None

"""Keeping the log small: runs are folded, partitions made and dropped, old records deleted."""

import asyncio
from datetime import UTC, date, datetime, timedelta

import asyncpg
import structlog

from cartrita.adapters.runlog.connection import Connection, Database
from cartrita.adapters.runlog.encoding import VERSION, load_event
from cartrita.adapters.runlog.folded import pack
from cartrita.domain.errors import CartritaError
from cartrita.domain.events import LoggedEvent
from cartrita.kit.ids import RunId

log = structlog.get_logger()

_LEADER = 0x63617275
_RIPE = """
SELECT id, owner_id FROM runs
WHERE ended_at < now() - $1 * interval '1 second' AND NOT folded
ORDER BY ended_at LIMIT 200 FOR UPDATE SKIP LOCKED
"""
_EVENTS = """
SELECT run_id, seq, data FROM run_events WHERE run_id = ANY($1::uuid[]) ORDER BY run_id, seq
"""
_KEEP = """
INSERT INTO run_logs (run_id, owner_id, version, items)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::smallint[], $4::jsonb[])
"""
_CLEAR = "DELETE FROM run_events WHERE run_id = ANY($1::uuid[])"
_FOLDED = "UPDATE runs SET folded = true WHERE id = ANY($1::uuid[])"
_FORGET_LOGS = "DELETE FROM run_logs WHERE folded_at < now() - $1 * interval '1 day'"
_FORGET_KEYS = "DELETE FROM idempotency WHERE expires_at < now()"
_FORGET_TICKETS = "DELETE FROM tickets WHERE expires_at < now() - interval '1 day'"
_PARTITIONS = """
SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'run_events'::regclass
"""
_PREFIX = "run_events_"


class Maintenance:
    """Runs in every process; an advisory lock lets one of them work at a time."""

    def __init__(
        self,
        database: Database,
        *,
        interval_s: float,
        fold_after_s: float,
        retention_days: int,
        days_ahead: int,
    ) -> None:
        self._database = database
        self._interval_s = interval_s
        self._fold_after_s = fold_after_s
        self._retention_days = retention_days
        self._days_ahead = days_ahead

    async def maintain_for_ever(self) -> None:
        while True:
            try:
                await self.maintain()
            except (CartritaError, asyncpg.PostgresError) as error:
                log.warning("maintenance_failed", error=type(error).__name__)
            await asyncio.sleep(self._interval_s)

    async def maintain(self) -> None:
        """Everything that is due."""
        async with self._database.use() as connection:
            if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", _LEADER):
                return
            try:
                await self._partitions(connection)
                while await self._fold(connection):
                    pass
                await connection.execute(_FORGET_LOGS, self._retention_days)
                await connection.execute(_FORGET_KEYS)
                await connection.execute(_FORGET_TICKETS)
            finally:
                await connection.execute("SELECT pg_advisory_unlock($1)", _LEADER)

    async def _fold(self, connection: Connection) -> int:
        """Fold some ended runs, each with its events gone in the same transaction."""
        async with connection.transaction():
            ripe = await connection.fetch(_RIPE, self._fold_after_s)
            if not ripe:
                return 0
            owners = {RunId(row["id"]): row["owner_id"] for row in ripe}
            logs: dict[RunId, list[LoggedEvent]] = {run_id: [] for run_id in owners}
            for row in await connection.fetch(_EVENTS, list(owners)):
                run_id = RunId(row["run_id"])
                event = LoggedEvent(run_id, row["seq"], load_event(row["data"]))
                logs[run_id].append(event)
            await connection.execute(
                _KEEP,
                list(owners),
                list(owners.values()),
                [VERSION] * len(owners),
                [pack(logs[run_id]) for run_id in owners],
            )
            await connection.execute(_CLEAR, list(owners))
            await connection.execute(_FOLDED, list(owners))
        return len(ripe)

    async def _partitions(self, connection: Connection) -> None:
        today = datetime.now(UTC).date()
        names = {row["name"] for row in await connection.fetch(_PARTITIONS)}
        for ahead in range(self._days_ahead + 1):
            day = today + timedelta(days=ahead)
            if _name(day) not in names:
                await _create(connection, day)
        for name in names:
            day = _day(name)
            if day is not None and day < today - timedelta(days=1):
                await _drop_if_empty(connection, name)


async def _create(connection: Connection, day: date) -> None:
    """Made apart and then attached, which locks less than making it in place."""
    name, start, end = _name(day), day.isoformat(), (day + timedelta(days=1)).isoformat()
    async with connection.transaction():
        await connection.execute("SET LOCAL lock_timeout = '1s'")
        await connection.execute(f"CREATE TABLE {name} (LIKE run_events INCLUDING ALL)")
        bounds = await connection.fetchrow(
            "SELECT cartrita_uuid7_floor($1::text::timestamptz) AS low,"
            " cartrita_uuid7_floor($2::text::timestamptz) AS high",
            f"{start}T00:00:00Z",
            f"{end}T00:00:00Z",
        )
        if bounds is not None:
            await connection.execute(
                f"ALTER TABLE run_events ATTACH PARTITION {name}"
                f" FOR VALUES FROM ('{bounds['low']}') TO ('{bounds['high']}')"
            )


async def _drop_if_empty(connection: Connection, name: str) -> None:
    """All runs of that day are folded; what is not folded keeps its partition."""
    async with connection.transaction():
        await connection.execute("SET LOCAL lock_timeout = '1s'")
        await connection.execute(f"LOCK TABLE {name} IN ACCESS EXCLUSIVE MODE")
        if not await connection.fetchval(f"SELECT EXISTS (SELECT 1 FROM {name})"):
            await connection.execute(f"DROP TABLE {name}")


def _name(day: date) -> str:
    return f"{_PREFIX}{day:%Y%m%d}"


def _day(name: str) -> date | None:
    digits = name.removeprefix(_PREFIX)
    return (
        datetime.strptime(digits, "%Y%m%d").replace(tzinfo=UTC).date() if digits.isdigit() else None
    )

"""Keeping the log small: runs are folded, partitions made and dropped, old records deleted."""

import asyncio
from collections.abc import Coroutine
from datetime import date, timedelta

import asyncpg
import msgspec
import structlog

from cartrita.adapters.runlog.connection import Connection, Database, Row
from cartrita.adapters.runlog.encoding import VERSION, load_event
from cartrita.adapters.runlog.folded import pack
from cartrita.domain.errors import CartritaError
from cartrita.domain.events import LoggedEvent
from cartrita.kit.ids import RunId

log = structlog.get_logger()

_LEADER = 0x63617275
_RIPE = """
SELECT id, owner_id, last_seq FROM runs
WHERE ended_at < now() - $1 * interval '1 second' AND NOT folded AND id <> ALL($2::uuid[])
ORDER BY ended_at LIMIT 200 FOR UPDATE SKIP LOCKED
"""
_EVENTS = "SELECT seq, data FROM run_events WHERE run_id = $1 ORDER BY seq"
_KEEP = """
INSERT INTO run_logs (run_id, owner_id, version, items)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::smallint[], $4::jsonb[])
"""
_CLEAR = "DELETE FROM run_events WHERE run_id = ANY($1::uuid[])"
_FOLDED = "UPDATE runs SET folded = true WHERE id = ANY($1::uuid[])"
_FORGET_LOGS = "DELETE FROM run_logs WHERE folded_at < now() - $1 * interval '1 day'"
_FORGET_KEYS = "DELETE FROM idempotency WHERE expires_at < now()"
_PARTITIONS = """
SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'run_events'::regclass
"""
_PREFIX = "run_events_"
_TODAY = "SELECT (clock_timestamp() AT TIME ZONE 'UTC')::date"
_FLOOR = "SELECT cartrita_uuid7_floor($1::text::timestamptz)"
_MOVE = """
WITH early AS (DELETE FROM run_events_default WHERE run_id >= $1 AND run_id < $2 RETURNING *)
INSERT INTO {name} SELECT * FROM early
"""


_MOST_EVENTS = 20_000
"""Of a transaction that folds, unless one run alone has more."""


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
        self._unreadable: set[RunId] = set()

    async def maintain_for_ever(self) -> None:
        while True:
            try:
                await self.maintain()
            except (CartritaError, asyncpg.PostgresError) as error:
                log.warning("maintenance_failed", error=type(error).__name__)
            await asyncio.sleep(self._interval_s)

    async def prepare(self) -> None:
        """What writers want to find: today's partition, so that no row goes where it must leave."""
        async with self._database.use() as connection:
            await self._partitions(connection)

    async def maintain(self) -> None:
        """Everything that is due; what fails holds up nothing else."""
        async with self._database.use() as connection:
            if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", _LEADER):
                return
            try:
                await self._partitions(connection)
                while await self._fold(connection):
                    pass
                await connection.execute(_FORGET_LOGS, self._retention_days)
                await connection.execute(_FORGET_KEYS)
            finally:
                await connection.execute("SELECT pg_advisory_unlock($1)", _LEADER)

    async def _fold(self, connection: Connection) -> bool:
        """Fold some ended runs, each with its events gone in the same transaction.

        One by one, so that what else runs here has its turn between them. False: none is left.
        """
        async with connection.transaction():
            ripe = await connection.fetch(_RIPE, self._fold_after_s, list(self._unreadable))
            owners = _helping(ripe)
            packed: dict[RunId, str] = {}
            for run_id in owners:
                text = _pack(run_id, await connection.fetch(_EVENTS, run_id))
                if text is None:
                    self._unreadable.add(run_id)
                else:
                    packed[run_id] = text
            folded = list(packed)
            await connection.execute(
                _KEEP,
                folded,
                [owners[run_id] for run_id in folded],
                [VERSION] * len(folded),
                list(packed.values()),
            )
            await connection.execute(_CLEAR, folded)
            await connection.execute(_FOLDED, folded)
        return bool(owners)

    async def _partitions(self, connection: Connection) -> None:
        """Days are the database's, as run ids are."""
        today: date = await connection.fetchval(_TODAY)
        names = {row["name"] for row in await connection.fetch(_PARTITIONS)}
        ahead = [today + timedelta(days=days) for days in range(self._days_ahead + 1)]
        for day in ahead:
            if _name(day) not in names:
                await _unhurried(_create(connection, day))
        for name in names:
            day = _day(name)
            if day is not None and day < today - timedelta(days=1):
                await _unhurried(_drop_if_empty(connection, name))


def _helping(ripe: list[Row]) -> dict[RunId, str]:
    """The owners of the first runs that are not too much together; one at least."""
    owners: dict[RunId, str] = {}
    events = 0
    for row in ripe:
        events += row["last_seq"] or 0
        if owners and events > _MOST_EVENTS:
            break
        owners[RunId(row["id"])] = row["owner_id"]
    return owners


def _pack(run_id: RunId, rows: list[Row]) -> str | None:
    """None where an event cannot be read here: that is left to a process that can."""
    try:
        return pack([LoggedEvent(run_id, row["seq"], load_event(row["data"])) for row in rows])
    except msgspec.ValidationError:
        log.warning("run_not_folded", run_id=run_id.hex)
        return None


async def _unhurried(work: Coroutine[None, None, None]) -> None:
    """Writers come first: what does not get its lock soon is tried another time."""
    try:
        await work
    except asyncpg.PostgresError as error:
        log.warning("partition_left", error=type(error).__name__)


async def _create(connection: Connection, day: date) -> None:
    """Made apart and then attached, which locks less than making it in place.

    Rows that came too early lie in the default partition, and move.
    """
    name, bounds = _name(day), (f"{day:%Y-%m-%d} UTC", f"{day + timedelta(days=1):%Y-%m-%d} UTC")
    async with connection.transaction():
        await connection.execute("SET LOCAL lock_timeout = '1s'")
        await connection.execute(f"CREATE TABLE {name} (LIKE run_events INCLUDING ALL)")
        low, high = [await connection.fetchval(_FLOOR, bound) for bound in bounds]
        await connection.execute("LOCK TABLE run_events_default IN ACCESS EXCLUSIVE MODE")
        await connection.execute(_MOVE.format(name=name), low, high)
        await connection.execute(
            f"ALTER TABLE run_events ATTACH PARTITION {name}"
            f" FOR VALUES FROM ('{low}') TO ('{high}')"
        )


async def _drop_if_empty(connection: Connection, name: str) -> None:
    """All runs of that day are folded; what is not folded keeps its partition.

    Whoever comes after it waits for it, so it waits for nobody: there is no hurry.
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

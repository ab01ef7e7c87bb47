"""Maintenance: folds ended runs, keeps partitions, deletes expired logs and idempotency keys."""

import asyncio
from collections.abc import Awaitable

import asyncpg
import msgspec
import structlog

from cartrita.adapters.runlog.connection import (
    TRANSIENT_ERRORS,
    Connection,
    ConnectionPool,
    Row,
)
from cartrita.adapters.runlog.encoding import VERSION
from cartrita.adapters.runlog.events import load_events, select_rows, size_of
from cartrita.adapters.runlog.folding import fold_events
from cartrita.adapters.runlog.partitions import maintain_partitions
from cartrita.domain.errors import CartritaError
from cartrita.domain.ids import RunId
from cartrita.kit.long_work import run_long
from cartrita.kit.repeated_failures import RepeatedFailures

log = structlog.get_logger(__name__)

_ADVISORY_LOCK = 0x63617275
# Events of a newer version are left to a replica of that version, which loses none of their fields.
_DUE = f"""
SELECT id, owner_id, last_seq FROM runs
WHERE ended_at < now() - $1 * interval '1 second' AND NOT folded AND id <> ALL($2::uuid[])
  AND NOT EXISTS (SELECT 1 FROM run_events e WHERE e.run_id = id AND e.version > {VERSION})
ORDER BY ended_at LIMIT 200 FOR UPDATE SKIP LOCKED
"""
_INSERT_LOGS = """
INSERT INTO run_logs (run_id, owner_id, version, items)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::smallint[], $4::jsonb[])
"""
_DELETE_EVENTS = "DELETE FROM run_events WHERE run_id = ANY($1::uuid[])"
_DELETE_STEPS = "DELETE FROM run_steps WHERE run_id = ANY($1::uuid[])"
_DELETE_APPROVALS = "DELETE FROM approvals WHERE run_id = ANY($1::uuid[])"
_MARK_FOLDED = "UPDATE runs SET folded = true WHERE id = ANY($1::uuid[])"
_DELETE_OLD_LOGS = "DELETE FROM run_logs WHERE folded_at < now() - $1 * interval '1 day'"
_DELETE_EXPIRED_KEYS = "DELETE FROM idempotency WHERE expires_at < now()"
_DELETE_REQUESTS_LEFT = "DELETE FROM requests_under_way WHERE expires_at <= now()"
_MAX_EVENTS = 20_000
"""Events of one folding transaction, unless a single run has more."""


class Maintenance:
    """Runs in every process; an advisory lock lets one of them work at a time."""

    def __init__(
        self,
        pool: ConnectionPool,
        *,
        interval_s: float,
        fold_after_s: float,
        retention_days: int,
        days_ahead: int,
    ) -> None:
        self._pool = pool
        self._interval_s = interval_s
        self._fold_after_s = fold_after_s
        self._retention_days = retention_days
        self._days_ahead = days_ahead
        self._unreadable: set[RunId] = set()
        self._failure_logger = RepeatedFailures("maintenance_failed")

    async def run(self) -> None:
        """Maintain every `interval_s` seconds. No failure ends it: the log is written without."""
        while True:
            try:
                await self._attempt("all", self.maintain())
            except CartritaError as error:
                log.warning("maintenance_failed", error=type(error).__name__)
            await asyncio.sleep(self._interval_s)

    async def prepare(self) -> None:
        """Create the partitions that writers need, so that no row has to be moved later."""
        async with self._pool.acquire() as connection:
            await maintain_partitions(connection, days_ahead=self._days_ahead)

    async def maintain(self) -> None:
        """Do all work that is due, unless another process is doing it."""
        async with self._pool.acquire() as connection:
            if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", _ADVISORY_LOCK):
                return
            try:
                for step in (self._keep_partitions, self._fold_all, self._delete_expired):
                    await self._attempt(step.__name__, step(connection))
            finally:
                await connection.execute("SELECT pg_advisory_unlock($1)", _ADVISORY_LOCK)

    async def _attempt(self, step: str, work: Awaitable[None]) -> None:
        """Do a piece of work; if it fails, the next ones are done all the same.

        Raises CartritaError and TRANSIENT_ERRORS.
        """
        try:
            await work
        except (CartritaError, *TRANSIENT_ERRORS):
            raise
        except Exception as error:
            self._failure_logger.exception(step, error=error, step=step)
        else:
            self._failure_logger.forget(step)

    async def _keep_partitions(self, connection: Connection) -> None:
        await maintain_partitions(connection, days_ahead=self._days_ahead)

    async def _fold_all(self, connection: Connection) -> None:
        while await self._fold(connection):
            pass

    async def _delete_expired(self, connection: Connection) -> None:
        await connection.execute(_DELETE_OLD_LOGS, self._retention_days)
        await connection.execute(_DELETE_EXPIRED_KEYS)
        await connection.execute(_DELETE_REQUESTS_LEFT)

    async def _fold(self, connection: Connection) -> bool:
        """Fold some ended runs and delete their events, in one transaction; False if none is due.

        Events are read run by run, so that other tasks of this process get their turn.
        """
        async with connection.transaction():
            due = await connection.fetch(_DUE, self._fold_after_s, list(self._unreadable))
            owners = _bounded(due)
            items: dict[RunId, str] = {}
            for run_id in owners:
                try:
                    rows = await select_rows(connection, run_id)
                    items[run_id] = await run_long(size_of(rows), _fold_rows, run_id, rows)
                except msgspec.ValidationError:
                    # Left to a process whose version can decode all of its events.
                    log.warning("run_not_folded", run_id=run_id.hex)
                    self._unreadable.add(run_id)
                except (CartritaError, asyncpg.PostgresError, *TRANSIENT_ERRORS):
                    raise
                except Exception:
                    log.exception("run_not_folded", run_id=run_id.hex)
                    self._unreadable.add(run_id)
            folded = list(items)
            await connection.execute(
                _INSERT_LOGS,
                folded,
                [owners[run_id] for run_id in folded],
                [VERSION] * len(folded),
                list(items.values()),
            )
            await connection.execute(_DELETE_EVENTS, folded)
            await connection.execute(_DELETE_STEPS, folded)
            await connection.execute(_DELETE_APPROVALS, folded)
            await connection.execute(_MARK_FOLDED, folded)
        return bool(owners)


def _fold_rows(run_id: RunId, rows: list[Row]) -> str:
    return fold_events(load_events(run_id, rows))


def _bounded(due: list[Row]) -> dict[RunId, str]:
    """The first runs, with their owners, that have at most _MAX_EVENTS together; at least one."""
    owners: dict[RunId, str] = {}
    events = 0
    for row in due:
        events += row["last_seq"] or 0
        if owners and events > _MAX_EVENTS:
            break
        owners[RunId(row["id"])] = row["owner_id"]
    return owners

"""Runs whose owner is gone: its epoch is raised first, then each run is ended or queued again."""

import asyncio
from uuid import UUID

import asyncpg
import msgspec
import structlog

from cartrita.adapters.runlog import ending as endings
from cartrita.adapters.runlog.connection import Connection, Database
from cartrita.adapters.runlog.encoding import VERSION, dump, load_event
from cartrita.adapters.runlog.strays import Strays
from cartrita.adapters.runlog.watch import Watch
from cartrita.domain.errors import CartritaError
from cartrita.domain.events import RunStopped, StopStatus
from cartrita.domain.fold import Fold, fold
from cartrita.domain.messages import MessageStatus
from cartrita.domain.runs import Ending, RunStatus
from cartrita.kit.ids import RunId

log = structlog.get_logger()

# A released lease (-infinity) needs no waiting; an expired one is believed only by a reaper that
# has seen the database healthy for a whole lease, or an outage would look like many deaths.
_EXPIRED = """
SELECT p.id FROM replicas p WHERE p.expires_at = '-infinity'
  OR ($1 AND p.expires_at < clock_timestamp())
"""
_LOCK = """
SELECT 1 FROM replicas WHERE id = $1 AND expires_at < clock_timestamp() FOR UPDATE
"""
_DEPOSE = "UPDATE replicas SET epoch = epoch + 1, expires_at = '-infinity' WHERE id = $1"
_FORGET = """
DELETE FROM replicas p WHERE p.id = $1 AND NOT EXISTS
  (SELECT 1 FROM runs r WHERE r.replica_id = p.id AND r.status = 'running')
"""
_ORPHANS = """
SELECT r.id FROM runs r
LEFT JOIN replicas p ON p.id = r.replica_id AND p.epoch = r.replica_epoch
WHERE r.status = 'running' AND p.id IS NULL AND r.id <> ALL($1::uuid[])
ORDER BY r.id LIMIT 100
"""
_ORPHAN = """
SELECT r.attempt, r.cancel_requested_at, r.deadline_at < now() AS late
FROM runs r JOIN conversations c ON c.id = r.conversation_id
WHERE r.id = $1 AND r.status = 'running' AND NOT EXISTS
  (SELECT 1 FROM replicas p WHERE p.id = r.replica_id AND p.epoch = r.replica_epoch)
FOR UPDATE OF r SKIP LOCKED FOR NO KEY UPDATE OF c SKIP LOCKED
"""
_LOGGED = "SELECT data FROM run_events WHERE run_id = $1 ORDER BY seq"
_REQUEUE = """
UPDATE runs SET status = 'queued', replica_id = NULL, replica_epoch = NULL, attempt = attempt + 1
WHERE id = $1
"""
_LAST = "INSERT INTO run_events (run_id, seq, version, data) VALUES ($1, $2, $3, $4)"


class Reaper:
    """One in each process; they share the work by skipping what another has locked."""

    def __init__(
        self,
        database: Database,
        watch: Watch,
        strays: Strays,
        *,
        lease_s: float,
        max_attempts: int,
    ) -> None:
        self._database = database
        self._watch = watch
        self._strays = strays
        self._lease_s = lease_s
        self._max_attempts = max_attempts
        self._unreadable: set[RunId] = set()

    async def reap_for_ever(self) -> None:
        while True:
            try:
                await self.reap()
            except (CartritaError, asyncpg.PostgresError) as error:
                log.warning("reaper_waits", error=type(error).__name__)
            await asyncio.sleep(min(1.0, self._lease_s / 3))

    async def reap(self) -> None:
        """Depose whoever let its lease expire, then settle the runs that have no owner."""
        await self._strays.give_back()
        patient = self._watch.healthy_for() >= self._lease_s
        async with self._database.use() as connection:
            expired = await connection.fetch(_EXPIRED, patient)
        for row in expired:
            await self._depose(row["id"])
        async with self._database.use() as connection:
            orphans = await connection.fetch(_ORPHANS, list(self._unreadable))
        for row in orphans:
            try:
                await self._settle(RunId(row["id"]))
            except (asyncpg.PostgresError, msgspec.ValidationError) as error:
                # One that cannot be settled holds up no other; one that cannot be read is left to
                # a process that can.
                if isinstance(error, msgspec.ValidationError):
                    self._unreadable.add(RunId(row["id"]))
                log.warning("run_not_settled", run_id=row["id"].hex, error=type(error).__name__)
        for row in expired:
            async with self._database.use() as connection:
                await connection.execute(_FORGET, row["id"])

    async def _depose(self, replica_id: UUID) -> None:
        async with self._database.transaction() as connection:
            if await connection.fetchval(_LOCK, replica_id):
                await connection.execute(_DEPOSE, replica_id)

    async def _settle(self, run_id: RunId) -> None:
        async with self._database.transaction() as connection:
            row = await connection.fetchrow(_ORPHAN, run_id)
            if row is None:
                return
            logged = [load_event(r["data"]) for r in await connection.fetch(_LOGGED, run_id)]
            so_far = fold(logged)
            again = row["attempt"] < self._max_attempts and not row["late"]
            if row["cancel_requested_at"] is None and not so_far.seen and again:
                await connection.execute(_REQUEUE, run_id)
                log.info("run_queued_again", run_id=run_id.hex, attempt=row["attempt"] + 1)
            else:
                cancelled = row["cancel_requested_at"] is not None
                await _end(connection, run_id, len(logged), _ending(so_far, cancelled=cancelled))
                log.info("run_interrupted", run_id=run_id.hex, seen=so_far.seen)
            await connection.execute("NOTIFY cartrita_queue")
            await connection.execute("NOTIFY cartrita_events")


async def _end(connection: Connection, run_id: RunId, last_seq: int, ending: Ending) -> None:
    await connection.execute(_LAST, run_id, last_seq + 1, VERSION, dump(ending.event))
    await endings.store(connection, [(run_id, last_seq + 1, ending)])


def _ending(so_far: Fold, *, cancelled: bool) -> Ending:
    if cancelled:
        event = RunStopped(
            StopStatus.CANCELLED, "cancelled", "The answer was cancelled.", False, so_far.usage
        )
    else:
        event = RunStopped(
            StopStatus.INTERRUPTED,
            "interrupted",
            "The server stopped while it was writing this answer; what you have seen is kept, and "
            "the answer can be continued.",
            True,
            so_far.usage,
        )
    return Ending(
        status=RunStatus(event.kind),
        event=event,
        usage=so_far.usage,
        message=so_far.message,
        message_status=MessageStatus.PARTIAL,
        keep_idempotency=so_far.seen or cancelled,
    )

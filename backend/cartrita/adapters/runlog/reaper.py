"""The reaper: ends or requeues runs whose owner is gone or does not know of them."""

import asyncio
from uuid import UUID

import asyncpg
import msgspec
import structlog

from cartrita.adapters.runlog.approvals import expire_approvals
from cartrita.adapters.runlog.connection import TRANSIENT_ERRORS, ConnectionPool
from cartrita.adapters.runlog.encoding import RUN_COLUMNS, VERSION, load_run
from cartrita.adapters.runlog.events import select_events
from cartrita.adapters.runlog.finishing import end_unowned
from cartrita.adapters.runlog.listener import Listener
from cartrita.adapters.runlog.queue import Queue
from cartrita.adapters.runlog.replica import Replica
from cartrita.adapters.runlog.steps import last_step_seq
from cartrita.adapters.runlog.writer import Writer
from cartrita.domain import endings
from cartrita.domain.errors import CartritaError
from cartrita.domain.event_visibility import is_said
from cartrita.domain.fold import Fold, fold
from cartrita.domain.ids import RunId
from cartrita.domain.ports.metrics import LogCounts
from cartrita.domain.ports.runs import EndListener
from cartrita.domain.runs import Ending, RunStatus
from cartrita.kit.repeated_failures import RepeatedFailures

log = structlog.get_logger(__name__)

# A released lease (-infinity) counts at once. An expired one counts only if this reaper has seen
# the database healthy for a whole lease, because an outage makes all leases expire.
_EXPIRED = """
SELECT p.id FROM replicas p WHERE p.expires_at = '-infinity'
  OR ($1 AND p.expires_at < clock_timestamp())
"""
_LOCK_EXPIRED = """
SELECT 1 FROM replicas WHERE id = $1 AND expires_at < clock_timestamp() FOR UPDATE
"""
_REVOKE = "UPDATE replicas SET epoch = epoch + 1, expires_at = '-infinity' WHERE id = $1"
_DELETE_REPLICA = """
DELETE FROM replicas p WHERE p.id = $1 AND NOT EXISTS
  (SELECT 1 FROM runs r WHERE r.replica_id = p.id AND r.status = 'running')
"""
# Runs with events of a newer version are left to a replica of that version.
_ORPHANS = f"""
SELECT r.id FROM runs r
LEFT JOIN replicas p ON p.id = r.replica_id AND p.epoch = r.replica_epoch
WHERE r.status = 'running' AND p.id IS NULL AND r.id <> ALL($1::uuid[])
  AND NOT EXISTS (SELECT 1 FROM run_events e WHERE e.run_id = r.id AND e.version > {VERSION})
ORDER BY r.id LIMIT 100
"""
# Waits for a person, and being given back by a server that stops, are no failures.
_LOCK_ORPHAN = """
SELECT r.cancel_requested_at, r.deadline_at < now() AS late,
  r.attempt - r.releases
    - (SELECT count(DISTINCT asked_at) FROM approvals a WHERE a.run_id = r.id) AS attempt
FROM runs r JOIN conversations c ON c.id = r.conversation_id
WHERE r.id = $1 AND r.status = 'running' AND NOT EXISTS
  (SELECT 1 FROM replicas p WHERE p.id = r.replica_id AND p.epoch = r.replica_epoch)
FOR UPDATE OF r SKIP LOCKED FOR NO KEY UPDATE OF c SKIP LOCKED
"""
_ENDED = f"SELECT {RUN_COLUMNS} FROM runs WHERE id = $1"
# Work after the last heartbeat of its owner is not known, and does not count.
_REQUEUE = """
UPDATE runs SET status = 'queued', replica_id = NULL, replica_epoch = NULL, attempt = attempt + 1,
  worked = worked + coalesce(greatest('0', least(
    clock_timestamp(), (SELECT renewed_at FROM replicas p WHERE p.id = replica_id)
  ) - claimed_at), '0')
WHERE id = $1
"""
_OVERDUE = """
SELECT DISTINCT a.run_id FROM approvals a JOIN runs r ON r.id = a.run_id
WHERE r.status = 'waiting' AND a.decision IS NULL AND a.expires_at < now() LIMIT 100
"""
_LOCK_WAITING = "SELECT 1 FROM runs WHERE id = $1 AND status = 'waiting' FOR UPDATE SKIP LOCKED"
_OWN_RUNS = """
SELECT id, attempt FROM runs WHERE replica_id = $1 AND replica_epoch = $2 AND status = 'running'
"""
_DISOWN = """
UPDATE runs SET replica_id = NULL, replica_epoch = NULL
WHERE id = ANY($1::uuid[]) AND replica_id = $2 AND status = 'running'
"""
_INTERRUPTED = "The server stopped while it was writing this answer; what you have seen is kept"


class Reaper:
    """Runs in each process; reapers share the work by skipping rows that another has locked."""

    def __init__(
        self,
        pool: ConnectionPool,
        replica: Replica,
        writer: Writer,
        queue: Queue,
        listener: Listener,
        *,
        lease_s: float,
        max_attempts: int,
        told: EndListener,
        counts: LogCounts,
    ) -> None:
        self._pool = pool
        self._replica = replica
        self._writer = writer
        self._queue = queue
        self._listener = listener
        self._lease_s = lease_s
        self._told = told
        self._counts = counts
        self._max_attempts = max_attempts
        self._lost: set[RunId] = set()
        self._unreadable: set[RunId] = set()
        self._failure_logger = RepeatedFailures("reaper_failed")

    async def run(self) -> None:
        """Reap three times per lease, at least once a second.

        No failure ends it: it would end each replica that comes upon the same run, in turn.
        """
        while True:
            try:
                await self.reap()
            except CartritaError as error:
                log.warning("reaper_failed", error=type(error).__name__)
            except Exception as error:
                self._failure_logger.exception("reap", error=error)
            else:
                self._failure_logger.forget("reap")
            await asyncio.sleep(min(1.0, self._lease_s / 3))

    async def reap(self) -> None:
        """Revoke expired leases, then end or requeue the runs without an owner."""
        await self._give_back_lost_runs()
        trusts_expiry = self._listener.healthy_for() >= self._lease_s
        async with self._pool.acquire() as connection:
            expired = await connection.fetch(_EXPIRED, trusts_expiry)
        for row in expired:
            await self._revoke(row["id"])
        async with self._pool.acquire() as connection:
            orphans = await connection.fetch(_ORPHANS, list(self._unreadable))
        await self._expire_approvals()
        for row in orphans:
            try:
                await self._settle(RunId(row["id"]))
            except (asyncpg.PostgresError, msgspec.ValidationError) as error:
                # The others are settled all the same. A run with an event that this version cannot
                # decode is left to replicas that can.
                if isinstance(error, msgspec.ValidationError):
                    self._unreadable.add(RunId(row["id"]))
                log.warning("run_not_settled", run_id=row["id"].hex, error=type(error).__name__)
            except (CartritaError, *TRANSIENT_ERRORS):
                raise
            except Exception:
                log.exception("run_not_settled", run_id=row["id"].hex)
                self._unreadable.add(RunId(row["id"]))
        for row in expired:
            async with self._pool.acquire() as connection:
                await connection.execute(_DELETE_REPLICA, row["id"])

    async def _expire_approvals(self) -> None:
        """Deny what nobody decided on in time, so that the runs go on."""
        async with self._pool.acquire() as connection:
            overdue = await connection.fetch(_OVERDUE)
        for row in overdue:
            async with self._pool.transaction() as connection:
                if await connection.fetchval(_LOCK_WAITING, row["run_id"]):
                    await expire_approvals(connection, RunId(row["run_id"]))

    async def _give_back_lost_runs(self) -> None:
        """Disown runs that the database assigns to this replica and its writer does not know.

        The cause is a commit whose answer was lost; the lease is valid, so no reaper would settle
        them. A run must be found twice in a row, because the writer learns of a run only after the
        commit.
        """
        if not self._replica.held:
            return
        lease = self._replica.lease
        async with self._pool.acquire() as connection:
            rows = await connection.fetch(_OWN_RUNS, lease.id, lease.epoch)
            attempts: dict[RunId, int] = {RunId(row["id"]): row["attempt"] for row in rows}
            unknown = set(attempts) - set(self._writer.owned)
            found_twice, self._lost = unknown & self._lost, unknown
            if found_twice:
                log.warning("runs_given_back", runs=len(found_twice))
                self._queue.ignore_attempts({run_id: attempts[run_id] for run_id in found_twice})
                await connection.execute(_DISOWN, list(found_twice), lease.id)

    async def _revoke(self, replica_id: UUID) -> None:
        async with self._pool.transaction() as connection:
            if await connection.fetchval(_LOCK_EXPIRED, replica_id):
                await connection.execute(_REVOKE, replica_id)

    async def _settle(self, run_id: RunId) -> None:
        """Requeue a run that can go on from where it is, a few times at most; end any other.

        One can that nobody has seen anything of, and one whose last step is stored as a whole.
        """
        ending, ended = None, None
        async with self._pool.transaction() as connection:
            row = await connection.fetchrow(_LOCK_ORPHAN, run_id)
            if row is None:
                return
            logged = await select_events(connection, run_id)
            cancelled = row["cancel_requested_at"] is not None
            may_retry = row["attempt"] < self._max_attempts and not row["late"]
            seen = fold([one.event for one in logged]).seen
            done_until = await last_step_seq(connection, run_id) if seen else 0
            clean = not any(is_said(one.event) for one in logged if one.seq > done_until)
            if may_retry and not cancelled and (clean or not seen):
                await connection.execute(_REQUEUE, run_id)
                log.info("run_queued_again", run_id=run_id.hex, attempt=row["attempt"] + 1)
            else:
                end = endings.cancelled if cancelled else _interrupted
                ending = await end_unowned(connection, run_id, logged, end)
                ended = await connection.fetchrow(_ENDED, run_id)
                log.info("run_interrupted", run_id=run_id.hex, seen=seen)
            await connection.execute("NOTIFY cartrita_queue")
            await connection.execute("NOTIFY cartrita_events")
        self._counts.orphan_settled(RunStatus.QUEUED if ending is None else ending.status)
        if ended is not None and ending is not None:
            self._told(load_run(ended), ending)


def _interrupted(answer: Fold) -> Ending:
    return endings.interrupted(answer, _INTERRUPTED)

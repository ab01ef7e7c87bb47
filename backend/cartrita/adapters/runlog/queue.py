"""The queue: runs for this replica to execute, started here at admission or claimed later."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator

import asyncpg
import msgspec
import structlog

from cartrita.adapters.runlog.connection import TRANSIENT_ERRORS, Connection, ConnectionPool
from cartrita.adapters.runlog.event_buffers import EventBuffers
from cartrita.adapters.runlog.replica import Replica, fence
from cartrita.adapters.runlog.starting import StartedRun, start_run
from cartrita.adapters.runlog.writer import Writer
from cartrita.domain.errors import CartritaError
from cartrita.domain.ids import RunId
from cartrita.domain.runs import Claim, RunAvailable, Signal

log = structlog.get_logger(__name__)

# The first queued run of a conversation without an active run. Both rows are locked, because
# starting the run moves the head of the conversation.
_NEXT = """
SELECT r.id FROM runs r JOIN conversations c ON c.id = r.conversation_id
WHERE r.status = 'queued' AND r.id <> ALL($1::uuid[])
  AND NOT EXISTS (SELECT 1 FROM runs a WHERE a.conversation_id = r.conversation_id
                  AND a.status IN ('running', 'waiting'))
  AND NOT EXISTS (SELECT 1 FROM runs q WHERE q.conversation_id = r.conversation_id
                  AND q.status = 'queued' AND q.queue_no < r.queue_no)
ORDER BY r.queue_no LIMIT 1
FOR UPDATE OF r SKIP LOCKED FOR NO KEY UPDATE OF c SKIP LOCKED
"""
_RELEASE = """
UPDATE runs SET status = 'queued', replica_id = NULL, replica_epoch = NULL, attempt = attempt + 1,
  releases = releases + 1, worked = worked + coalesce(clock_timestamp() - claimed_at, '0')
WHERE id = $1 AND status = 'running' AND replica_id = $2
"""


class Queue:
    """Implements RunQueue."""

    def __init__(
        self, pool: ConnectionPool, replica: Replica, writer: Writer, buffers: EventBuffers
    ) -> None:
        self._pool = pool
        self._replica = replica
        self._writer = writer
        self._buffers = buffers
        self._ready: deque[Claim] = deque()
        self._signals: asyncio.Queue[Signal] = asyncio.Queue()
        self._ignored_attempts: dict[RunId, int] = {}
        self._unreadable: set[RunId] = set()
        self.closed = False
        """Whether this replica claims no more runs, because it is stopping, and is not ready."""

    def add(self, started: StartedRun) -> None:
        """Add a run that a committed transaction assigned to this replica.

        Ignored if the lease has changed since, or if the run was given back.
        """
        claim = started.claim
        if not self._replica.holds(started.lease):
            return
        if self._ignored_attempts.get(claim.run_id, 0) >= claim.attempt:
            return
        self._writer.add_run(claim.run_id, claim.last_seq)
        if started.first_event is None:
            self._buffers.own(claim.run_id, claim.last_seq)
        else:
            self._buffers.own(claim.run_id, 0)
            self._buffers.publish(claim.run_id, [started.first_event])
        self._ready.append(claim)
        self.send(RunAvailable())

    def ignore_attempts(self, attempts: dict[RunId, int]) -> None:
        """Ignore these runs, up to these attempts, if they are added later."""
        self._ignored_attempts.update(attempts)

    def send(self, signal: Signal) -> None:
        self._signals.put_nowait(signal)

    async def signals(self) -> AsyncIterator[Signal]:
        while True:
            yield await self._signals.get()

    async def claim(self) -> Claim | None:
        if not self._ready and not self.closed and self._replica.held:
            try:
                await self._claim()
            except (CartritaError, asyncpg.PostgresError) as error:  # the next poll retries
                log.warning("claim_failed", error=type(error).__name__)
        return self._ready.popleft() if self._ready else None

    async def release(self, run_id: RunId) -> None:
        lease = self._replica.lease
        async with self._pool.transaction() as connection:
            await fence(connection, lease)
            await connection.execute(_RELEASE, run_id, lease.id)
            await connection.execute("NOTIFY cartrita_queue")
        self._writer.forget(run_id)

    async def _claim(self) -> None:
        async with self._pool.acquire() as connection:
            while True:
                try:
                    async with connection.transaction():
                        started = await self._start_next(connection)
                    break
                except _UnreadableError:
                    continue  # with the next run
            if started is not None:
                self.add(started)

    async def _start_next(self, connection: Connection) -> StartedRun | None:
        lease = self._replica.lease
        await fence(connection, lease)
        run_id: RunId | None = await connection.fetchval(_NEXT, list(self._unreadable))
        if run_id is None:
            return None
        # Readers of queued runs on other replicas have to learn their new positions.
        await connection.execute("NOTIFY cartrita_queue")
        try:
            return await start_run(connection, run_id, lease)
        except msgspec.ValidationError:
            # A run of a newer version is left to replicas of that version.
            log.warning("run_unreadable", run_id=run_id.hex)
        except (CartritaError, asyncpg.PostgresError, *TRANSIENT_ERRORS):
            raise
        except Exception:
            # It would end each replica that claims it, in turn, with all the runs of that one.
            log.exception("run_unreadable", run_id=run_id.hex)
        self._unreadable.add(run_id)
        raise _UnreadableError


class _UnreadableError(Exception):
    """A queued run cannot be started by this replica."""

"""Runs for this replica to execute: begun here at admission, or claimed from the queue."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator

import asyncpg
import msgspec
import structlog

from cartrita.adapters.runlog import opening
from cartrita.adapters.runlog.connection import Connection, Database
from cartrita.adapters.runlog.feeds import Feeds
from cartrita.adapters.runlog.replica import Replica, fence
from cartrita.adapters.runlog.writer import Writer
from cartrita.domain.errors import CartritaError
from cartrita.domain.runs import Claim, RunAvailable, Signal
from cartrita.kit.ids import RunId

log = structlog.get_logger()

# The first in its conversation, where nothing of that conversation is being answered. Both are
# locked, for the conversation's head moves as the run begins.
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
UPDATE runs SET status = 'queued', replica_id = NULL, replica_epoch = NULL, attempt = attempt + 1
WHERE id = $1 AND status = 'running' AND replica_id = $2
"""


class Queue:
    """Implements RunQueue."""

    def __init__(self, database: Database, replica: Replica, writer: Writer, feeds: Feeds) -> None:
        self._database = database
        self._replica = replica
        self._writer = writer
        self._feeds = feeds
        self._ready: deque[Claim] = deque()
        self._signals: asyncio.Queue[Signal] = asyncio.Queue()
        self._disclaimed: dict[RunId, int] = {}
        self._unreadable: set[RunId] = set()
        self.closed = False
        """Whether this replica takes no more runs: it is about to stop."""

    def take(self, opened: opening.Opened) -> None:
        """A run that a committed transaction gave to this replica.

        News that come too late are no use: the lease is another, or the run was given back.
        """
        claim = opened.claim
        if not self._replica.holds(opened.identity):
            return
        if self._disclaimed.get(claim.run_id, 0) >= claim.attempt:
            return
        self._writer.open(claim.run_id, claim.last_seq)
        if opened.first is None:
            self._feeds.own(claim.run_id, claim.last_seq)
        else:
            self._feeds.own(claim.run_id, 0)
            self._feeds.publish(claim.run_id, [opened.first])
        self._ready.append(claim)
        self.tell(RunAvailable())

    def disclaim(self, attempts: dict[RunId, int]) -> None:
        """These runs, up to these attempts, are not taken any more."""
        self._disclaimed.update(attempts)

    def tell(self, signal: Signal) -> None:
        self._signals.put_nowait(signal)

    async def signals(self) -> AsyncIterator[Signal]:
        while True:
            yield await self._signals.get()

    async def claim(self) -> Claim | None:
        if not self._ready and not self.closed and self._replica.held:
            try:
                await self._claim()
            except (CartritaError, asyncpg.PostgresError) as error:  # the next poll looks again
                log.warning("nothing_claimed", error=type(error).__name__)
        return self._ready.popleft() if self._ready else None

    async def release(self, run_id: RunId) -> None:
        identity = self._replica.identity
        async with self._database.transaction() as connection:
            await fence(connection, identity)
            await connection.execute(_RELEASE, run_id, identity.id)
            await connection.execute("NOTIFY cartrita_queue")
        self._writer.forget(run_id)

    async def _claim(self) -> None:
        async with self._database.use() as connection:
            while True:
                try:
                    async with connection.transaction():
                        opened = await self._next(connection)
                    break
                except msgspec.ValidationError:
                    continue  # with the one after it
            if opened is not None:
                self.take(opened)

    async def _next(self, connection: Connection) -> opening.Opened | None:
        identity = self._replica.identity
        await fence(connection, identity)
        run_id: RunId | None = await connection.fetchval(_NEXT, list(self._unreadable))
        if run_id is None:
            return None
        # Who reads a queued run on another replica has its place, and waits for news of it.
        await connection.execute("NOTIFY cartrita_queue")
        try:
            return await opening.begin(connection, run_id, identity)
        except msgspec.ValidationError:
            # What is of a newer version is left to its kind, and holds up no other.
            log.warning("run_unreadable", run_id=run_id.hex)
            self._unreadable.add(run_id)
            raise

"""The listener: brings events, cancellations, available runs and changed keys from other replicas.

NOTIFY wakes it and a poll backs it up, so a lost notification costs latency only.
"""

import asyncio
import math
import time
from contextlib import suppress

import asyncpg
import msgspec
import structlog

from cartrita.adapters.runlog import access_feed
from cartrita.adapters.runlog.access_feed import AccessFeed
from cartrita.adapters.runlog.connection import (
    TRANSIENT_ERRORS,
    Connection,
    DedicatedConnection,
    Row,
    UnpooledConnection,
)
from cartrita.adapters.runlog.event_buffers import EventBuffer, EventBuffers
from cartrita.adapters.runlog.events import load_events
from cartrita.adapters.runlog.queue import Queue
from cartrita.adapters.runlog.writer import Writer
from cartrita.domain.ids import RunId
from cartrita.domain.runs import CancelRequested, RunAvailable

log = structlog.get_logger(__name__)

_NEW_EVENTS = """
SELECT e.run_id, e.seq, e.data FROM unnest($1::uuid[], $2::int[]) AS known (run_id, last_seq)
CROSS JOIN LATERAL (SELECT * FROM run_events x
                    WHERE x.run_id = known.run_id AND x.seq > known.last_seq
                    ORDER BY x.seq LIMIT 200) AS e
"""
_CANCELLED = """
SELECT id FROM runs WHERE id = ANY($1::uuid[]) AND cancel_requested_at IS NOT NULL
  AND status = 'running'
"""
_RUN_AVAILABLE = """
SELECT EXISTS (SELECT 1 FROM runs r WHERE r.status = 'queued' AND NOT EXISTS
  (SELECT 1 FROM runs a WHERE a.conversation_id = r.conversation_id
   AND a.status IN ('running', 'waiting')))
"""
_QUEUE_POSITIONS = """
SELECT r.id, (SELECT count(*) FROM runs q WHERE q.conversation_id = r.conversation_id
  AND q.status IN ('queued', 'running', 'waiting') AND q.queue_no < r.queue_no) AS ahead
FROM runs r WHERE r.id = ANY($1::uuid[]) AND r.status = 'queued'
"""
_MIN_INTERVAL_S = 0.02
"""The shortest time between two polls, because notifications come in bursts."""


class Listener:
    """Polls the database on one connection of its own, and records how long it was healthy.

    The database counts as healthy while no more than `health_timeout_s` passed between two polls.
    """

    def __init__(
        self,
        connection: DedicatedConnection,
        buffers: EventBuffers,
        writer: Writer,
        queue: Queue,
        *,
        access: AccessFeed,
        poll_s: float,
        health_timeout_s: float,
    ) -> None:
        self._access = access
        self._connection = connection
        self._buffers = buffers
        self._writer = writer
        self._queue = queue
        self._poll_s = poll_s
        self._health_timeout_s = health_timeout_s
        self._notified = asyncio.Event()
        self._queue_due = True
        self._queue_polled_at = 0.0
        self._healthy_since = 0.0
        self._last_poll = -math.inf
        self.started = asyncio.Event()
        """Set after the first complete poll."""

    def healthy_for(self) -> float:
        """Seconds for which the database has been healthy without a break; 0 if it is not now."""
        now = time.monotonic()
        return now - self._healthy_since if now - self._last_poll <= self._health_timeout_s else 0.0

    async def run(self) -> None:
        """Listen and poll; reconnect after errors."""
        while True:
            try:
                async with self._connection.acquire() as connection:
                    await connection.add_listener("cartrita_events", self._on_events)
                    await connection.add_listener("cartrita_queue", self._on_queue)
                    await connection.add_listener(access_feed.CHANNEL, self._access.notify)
                    await self._listen(connection)
            except (*TRANSIENT_ERRORS, asyncpg.PostgresError) as error:
                log.warning("listener_interrupted", error=type(error).__name__)
                self._last_poll = -math.inf
                for buffer in self._buffers.queued().values():
                    buffer.set_queue_position(None)
                await asyncio.sleep(self._poll_s)

    async def _listen(self, connection: UnpooledConnection) -> None:
        self._queue_due = True  # notifications before this connection are lost
        while True:
            self._notified.clear()
            await self._poll(connection)
            self._record_health()
            await asyncio.sleep(_MIN_INTERVAL_S)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._poll_s):
                    await self._notified.wait()

    def _record_health(self) -> None:
        now = time.monotonic()
        if now - self._last_poll > self._health_timeout_s:
            self._healthy_since = now
        self._last_poll = now
        self.started.set()

    async def _poll(self, connection: Connection) -> None:
        remote = self._buffers.remote()
        if remote:
            await self._fetch_events(connection, remote)
        now = time.monotonic()
        if self._queue_due or now - self._queue_polled_at >= self._poll_s:
            self._queue_due, self._queue_polled_at = False, now
            await self._poll_queue(connection)
        await self._access.poll(connection)

    async def _fetch_events(self, connection: Connection, remote: dict[RunId, int]) -> None:
        rows = await connection.fetch(_NEW_EVENTS, list(remote), list(remote.values()))
        found: dict[RunId, list[Row]] = {}
        for row in rows:
            found.setdefault(RunId(row["run_id"]), []).append(row)
        for run_id, new_rows in found.items():
            try:
                events = load_events(run_id, new_rows)
            except msgspec.ValidationError:
                log.warning("event_unknown", run_id=run_id.hex)  # written by a newer version
            else:
                self._buffers.publish(run_id, events)

    async def _poll_queue(self, connection: Connection) -> None:
        owned = self._writer.owned
        if owned:
            for row in await connection.fetch(_CANCELLED, owned):
                self._queue.send(CancelRequested(RunId(row["id"])))
        if not self._queue.closed and await connection.fetchval(_RUN_AVAILABLE):
            self._queue.send(RunAvailable())
        queued = self._buffers.queued()
        if queued:
            await self._update_positions(connection, queued)

    async def _update_positions(
        self, connection: Connection, queued: dict[RunId, EventBuffer]
    ) -> None:
        """One query for all readers; readers of runs that left the queue query for themselves."""
        rows = await connection.fetch(_QUEUE_POSITIONS, list(queued))
        positions: dict[RunId, int] = {RunId(row["id"]): max(1, row["ahead"]) for row in rows}
        for run_id, buffer in queued.items():
            buffer.set_queue_position(positions.get(run_id))

    def _on_events(self, _connection: object, pid: int, _channel: str, _load: object) -> None:
        if pid != self._writer.backend_pid:
            self._notified.set()

    def _on_queue(self, _connection: object, _pid: int, _channel: str, _load: object) -> None:
        self._queue_due = True
        self._notified.set()

"""What happens elsewhere: woken by NOTIFY, with a poll as net: a lost wake-up costs time only."""

import asyncio
import math
import time
from contextlib import suppress

import asyncpg
import msgspec
import structlog

from cartrita.adapters.runlog.connection import OUTAGE, Connection, Link, OwnConnection, Row
from cartrita.adapters.runlog.encoding import load_event
from cartrita.adapters.runlog.feeds import Feed, Feeds
from cartrita.adapters.runlog.queue import Queue
from cartrita.adapters.runlog.writer import Writer
from cartrita.domain.events import LoggedEvent
from cartrita.domain.runs import CancelRequested, RunAvailable
from cartrita.kit.ids import RunId

log = structlog.get_logger()

_TAILS = """
SELECT e.run_id, e.seq, e.data FROM unnest($1::uuid[], $2::int[]) AS f (run_id, tip)
CROSS JOIN LATERAL (SELECT * FROM run_events x WHERE x.run_id = f.run_id AND x.seq > f.tip
                    ORDER BY x.seq LIMIT 200) AS e
"""
_CANCELLED = """
SELECT id FROM runs WHERE id = ANY($1::uuid[]) AND cancel_requested_at IS NOT NULL
  AND status = 'running'
"""
_CLAIMABLE = """
SELECT EXISTS (SELECT 1 FROM runs r WHERE r.status = 'queued' AND NOT EXISTS
  (SELECT 1 FROM runs a WHERE a.conversation_id = r.conversation_id
   AND a.status IN ('running', 'waiting')))
"""
_PLACES = """
SELECT r.id, (SELECT count(*) FROM runs q WHERE q.conversation_id = r.conversation_id
  AND q.status IN ('queued', 'running', 'waiting') AND q.queue_no < r.queue_no) AS ahead
FROM runs r WHERE r.id = ANY($1::uuid[]) AND r.status = 'queued'
"""
_BREATH_S = 0.02
"""The least time between two looks: notifications come in swarms."""


class Watch:
    """Brings foreign events, cancels and claimable runs to this process."""

    def __init__(
        self,
        link: Link,
        feeds: Feeds,
        writer: Writer,
        queue: Queue,
        *,
        poll_s: float,
        patience_s: float,
    ) -> None:
        """`patience_s` without a look, and nobody knows how the database was meanwhile."""
        self._link = link
        self._feeds = feeds
        self._writer = writer
        self._queue = queue
        self._poll_s = poll_s
        self._patience_s = patience_s
        self._news = asyncio.Event()
        self._orders = True
        self._ordered_at = 0.0
        self._healthy_since = 0.0
        self._looked_at = -math.inf
        self.started = asyncio.Event()
        """Set once everything has been looked at for the first time."""

    def healthy_for(self) -> float:
        """Seconds for which the database was seen to be well, without a break until now."""
        now = time.monotonic()
        return now - self._healthy_since if now - self._looked_at <= self._patience_s else 0.0

    async def watch_for_ever(self) -> None:
        while True:
            try:
                async with self._link.use() as connection:
                    await connection.add_listener("cartrita_events", self._on_events)
                    await connection.add_listener("cartrita_queue", self._on_queue)
                    await self._watch(connection)
            except (*OUTAGE, asyncpg.PostgresError) as error:
                log.warning("watch_interrupted", error=type(error).__name__)
                self._looked_at = -math.inf
                for feed in self._feeds.waiting().values():
                    feed.wait_at(None)
                await asyncio.sleep(self._poll_s)

    async def _watch(self, connection: OwnConnection) -> None:
        self._orders = True  # nobody listened until now
        while True:
            self._news.clear()
            await self._look(connection)
            self._seen_well()
            await asyncio.sleep(_BREATH_S)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._poll_s):
                    await self._news.wait()

    def _seen_well(self) -> None:
        now = time.monotonic()
        if now - self._looked_at > self._patience_s:
            self._healthy_since = now
        self._looked_at = now
        self.started.set()

    async def _look(self, connection: Connection) -> None:
        foreign = self._feeds.foreign()
        if foreign:
            await self._tails(connection, foreign)
        now = time.monotonic()
        if self._orders or now - self._ordered_at >= self._poll_s:
            self._orders, self._ordered_at = False, now
            await self._take_orders(connection)

    async def _tails(self, connection: Connection, foreign: dict[RunId, int]) -> None:
        rows = await connection.fetch(_TAILS, list(foreign), list(foreign.values()))
        found: dict[RunId, list[Row]] = {}
        for row in rows:
            found.setdefault(RunId(row["run_id"]), []).append(row)
        for run_id, tail in found.items():
            try:
                events = [LoggedEvent(run_id, r["seq"], load_event(r["data"])) for r in tail]
            except msgspec.ValidationError:
                log.warning("event_unknown", run_id=run_id.hex)  # of a newer version than this
            else:
                self._feeds.publish(run_id, events)

    async def _take_orders(self, connection: Connection) -> None:
        owned = self._writer.owned
        if owned:
            for row in await connection.fetch(_CANCELLED, owned):
                self._queue.tell(CancelRequested(RunId(row["id"])))
        if not self._queue.closed and await connection.fetchval(_CLAIMABLE):
            self._queue.tell(RunAvailable())
        waiting = self._feeds.waiting()
        if waiting:
            await self._tell_places(connection, waiting)

    async def _tell_places(self, connection: Connection, waiting: dict[RunId, Feed]) -> None:
        """One question for all readers of queued runs; who waits no more looks for itself."""
        rows = await connection.fetch(_PLACES, list(waiting))
        places: dict[RunId, int] = {RunId(row["id"]): max(1, row["ahead"]) for row in rows}
        for run_id, feed in waiting.items():
            feed.wait_at(places.get(run_id))

    def _on_events(self, _connection: object, pid: int, _channel: str, _load: object) -> None:
        if pid != self._writer.backend_pid:
            self._news.set()

    def _on_queue(self, _connection: object, _pid: int, _channel: str, _load: object) -> None:
        self._orders = True
        self._news.set()

"""What happens elsewhere: woken by NOTIFY, with a poll as net: a lost wake-up costs time only."""

import asyncio
import time

import structlog

from cartrita.adapters.runlog.connection import OUTAGE, Connection, Link, OwnConnection
from cartrita.adapters.runlog.encoding import load_event
from cartrita.adapters.runlog.feeds import Feeds
from cartrita.adapters.runlog.queue import Queue
from cartrita.adapters.runlog.writer import Writer
from cartrita.domain.events import LoggedEvent
from cartrita.domain.runs import CancelRequested, Claimable
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
_BREATH_S = 0.02
"""The least time between two looks: notifications come in swarms."""


class Watch:
    """Brings foreign events, cancels and claimable runs to this process."""

    def __init__(
        self, link: Link, feeds: Feeds, writer: Writer, queue: Queue, *, poll_s: float
    ) -> None:
        self._link = link
        self._feeds = feeds
        self._writer = writer
        self._queue = queue
        self._poll_s = poll_s
        self._news = asyncio.Event()
        self._orders = True
        self._healthy_since: float | None = None
        self.started = asyncio.Event()
        """Set once everything has been looked at for the first time."""

    def healthy_for(self) -> float:
        """Seconds since the database was last away."""
        since = self._healthy_since
        return 0.0 if since is None else time.monotonic() - since

    async def watch_for_ever(self) -> None:
        while True:
            try:
                async with self._link.use() as connection:
                    await connection.add_listener("cartrita_events", self._on_events)
                    await connection.add_listener("cartrita_queue", self._on_queue)
                    await self._watch(connection)
            except OUTAGE as error:
                log.warning("watch_interrupted", error=type(error).__name__)
                self._healthy_since = None
                await asyncio.sleep(self._poll_s)

    async def _watch(self, connection: OwnConnection) -> None:
        while True:
            self._news.clear()
            await self._look(connection)
            if self._healthy_since is None:
                self._healthy_since = time.monotonic()
                self.started.set()
            await asyncio.sleep(_BREATH_S)
            try:
                async with asyncio.timeout(self._poll_s):
                    await self._news.wait()
            except TimeoutError:
                self._orders = True

    async def _look(self, connection: Connection) -> None:
        foreign = self._feeds.foreign()
        if foreign:
            await self._tails(connection, foreign)
        if self._orders:
            self._orders = False
            await self._take_orders(connection)

    async def _tails(self, connection: Connection, foreign: dict[RunId, int]) -> None:
        rows = await connection.fetch(_TAILS, list(foreign), list(foreign.values()))
        found: dict[RunId, list[LoggedEvent]] = {}
        for row in rows:
            run_id = RunId(row["run_id"])
            event = LoggedEvent(run_id, row["seq"], load_event(row["data"]))
            found.setdefault(run_id, []).append(event)
        for run_id, events in found.items():
            self._feeds.publish(run_id, events)

    async def _take_orders(self, connection: Connection) -> None:
        owned = self._writer.owned
        if owned:
            for row in await connection.fetch(_CANCELLED, owned):
                self._queue.tell(CancelRequested(RunId(row["id"])))
        if not self._queue.closed and await connection.fetchval(_CLAIMABLE):
            self._queue.tell(Claimable())
        self._feeds.wake_all(lambda feed: feed.base is None)

    def _on_events(self, _connection: object, pid: int, _channel: str, _load: object) -> None:
        if pid != self._writer.backend_pid:
            self._news.set()

    def _on_queue(self, _connection: object, _pid: int, _channel: str, _load: object) -> None:
        self._orders = True
        self._news.set()

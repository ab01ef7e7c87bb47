"""The run log of one process, put together and kept running."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from typing import Self

import msgspec
import structlog

from cartrita.adapters.runlog.admission import Admissions, Limits
from cartrita.adapters.runlog.cancellation import Cancellation
from cartrita.adapters.runlog.connection import OUTAGE, Database, Link, Opening
from cartrita.adapters.runlog.feeds import Feeds
from cartrita.adapters.runlog.maintenance import Maintenance
from cartrita.adapters.runlog.queue import Queue
from cartrita.adapters.runlog.reader import Reader
from cartrita.adapters.runlog.reaper import Reaper
from cartrita.adapters.runlog.replica import Place, Replica
from cartrita.adapters.runlog.strays import Strays
from cartrita.adapters.runlog.watch import Watch
from cartrita.adapters.runlog.writer import Writer
from cartrita.domain.runs import LeaseRevoked

log = structlog.get_logger()


class Tuning(msgspec.Struct, frozen=True, kw_only=True):
    """Times in seconds, sizes in bytes; the settings reference says what each is for."""

    lease_s: float
    poll_s: float
    heartbeat_s: float
    flush_s: float
    flush_bytes: int
    pending_bytes: int
    window_bytes: int
    pool_size: int
    pool_wait_s: float
    connect_timeout_s: float
    statement_timeout_s: float
    idle_in_transaction_s: float
    run_timeout_s: float
    max_attempts: int
    queue_max: int
    idempotency_ttl_s: float
    maintenance_s: float
    fold_after_s: float
    retention_days: int
    days_ahead: int

    @property
    def opening(self) -> Opening:
        return Opening(self.connect_timeout_s, self.statement_timeout_s, self.idle_in_transaction_s)


class RunLog:
    """Holds the parts; `opened` runs their loops until its context ends."""

    def __init__(self, dsn: str, database: Database, place: Place, tuning: Tuning) -> None:
        t = tuning
        opening = t.opening
        self._links = [Link(dsn, opening) for _ in range(3)]
        writing, beating, watching = self._links
        self._feeds = Feeds(t.window_bytes)
        self._replica = Replica(beating, place, lease_s=t.lease_s)
        self.writer = Writer(
            writing,
            self._replica,
            self._feeds,
            flush_s=t.flush_s,
            flush_bytes=t.flush_bytes,
            pending_bytes=t.pending_bytes,
        )
        self.queue = Queue(database, self._replica, self.writer, self._feeds)
        self._watch = Watch(
            watching,
            self._feeds,
            self.writer,
            self.queue,
            poll_s=t.poll_s,
            patience_s=max(t.lease_s / 3, 3 * t.poll_s),
        )
        self.reader = Reader(database, self._feeds, heartbeat_s=t.heartbeat_s, poll_s=t.poll_s)
        limits = Limits(t.run_timeout_s, t.queue_max, t.idempotency_ttl_s)
        self.admission = Admissions(database, self._replica, self.queue, limits)
        self.cancellation = Cancellation(database)
        strays = Strays(database, self._replica, self.writer, self.queue)
        self._reaper = Reaper(
            database, self._watch, strays, lease_s=t.lease_s, max_attempts=t.max_attempts
        )
        self._maintenance = Maintenance(
            database,
            interval_s=t.maintenance_s,
            fold_after_s=t.fold_after_s,
            retention_days=t.retention_days,
            days_ahead=t.days_ahead,
        )

    @classmethod
    @asynccontextmanager
    async def opened(cls, dsn: str, place: Place, tuning: Tuning) -> AsyncGenerator[Self]:
        """Registers this replica, keeps every loop running, and gives the lease up at the end."""
        async with Database.opened(
            dsn, tuning.opening, size=tuning.pool_size, wait_s=tuning.pool_wait_s
        ) as database:
            run_log = cls(dsn, database, place, tuning)
            await run_log._maintenance.prepare()
            await run_log._replica.register()
            async with asyncio.TaskGroup() as tasks:
                loops = [tasks.create_task(loop) for loop in run_log._loops()]
                try:
                    await run_log._watch.started.wait()
                    yield run_log
                finally:
                    await _cancelled(loops)
                    await run_log._close()

    @property
    def ready(self) -> bool:
        """Whether the database was reachable at the last look and takes what is written."""
        well = self._watch.healthy_for() > 0 and not self.writer.failing
        return well and self._replica.held and not self.queue.closed

    def stop_claiming(self) -> None:
        """First step of a drain: what runs here may finish, nothing new begins here."""
        self.queue.closed = True

    def send_readers_away(self) -> None:
        """Second step: streams end, and their clients come back with their cursors."""
        self._feeds.drain()

    def _loops(self) -> tuple[Coroutine[None, None, None], ...]:
        return (
            self._replica.beat_for_ever(),
            self.writer.flush_for_ever(),
            self._watch.watch_for_ever(),
            self._reaper.reap_for_ever(),
            self._maintenance.maintain_for_ever(),
            self._report_losses(),
        )

    async def _report_losses(self) -> None:
        """A lost lease takes every run away at once."""
        async for _ in self._replica.losses():
            self.writer.abandon()
            self.queue.tell(LeaseRevoked())

    async def _close(self) -> None:
        try:
            async with asyncio.timeout(2):
                await self._replica.release()
        except OUTAGE as error:
            log.warning("lease_not_released", error=type(error).__name__)
        for link in self._links:
            link.interrupt()


async def _cancelled(tasks: list[asyncio.Task[None]]) -> None:
    """End them for certain: a connection that breaks just then may swallow a cancellation."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=0.5)

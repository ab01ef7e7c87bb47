"""The run log of one process: builds its parts and runs their loops."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from typing import Self

import msgspec
import structlog

from cartrita.adapters.runlog.access_feed import AccessFeed
from cartrita.adapters.runlog.admission import AdmissionLimits, Admissions
from cartrita.adapters.runlog.approvals import Approvals
from cartrita.adapters.runlog.cancellation import Cancellation
from cartrita.adapters.runlog.connection import (
    TRANSIENT_ERRORS,
    ConnectionPool,
    DedicatedConnection,
    Timeouts,
)
from cartrita.adapters.runlog.event_buffers import EventBuffers
from cartrita.adapters.runlog.listener import Listener
from cartrita.adapters.runlog.maintenance import Maintenance
from cartrita.adapters.runlog.queue import Queue
from cartrita.adapters.runlog.reader import Reader
from cartrita.adapters.runlog.reaper import Reaper
from cartrita.adapters.runlog.replica import Replica
from cartrita.adapters.runlog.requests_under_way import RequestsUnderWay
from cartrita.adapters.runlog.worker_slot import WorkerSlot
from cartrita.adapters.runlog.writer import Writer
from cartrita.domain.ports.metrics import LogCounts
from cartrita.domain.ports.runs import EndListener
from cartrita.domain.runs import Ending, LeaseRevoked, Run
from cartrita.domain.uncounted import UNCOUNTED

log = structlog.get_logger(__name__)


def _tell_nobody(run: Run, ending: Ending) -> None:
    pass


class RunLogSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Times in seconds, sizes in bytes; the configuration reference describes each."""

    lease_s: float
    poll_s: float
    heartbeat_s: float
    flush_s: float
    flush_bytes: int
    pending_bytes: int
    window_bytes: int
    pool_size: int
    pool_wait_s: float
    request_s: float
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
    def timeouts(self) -> Timeouts:
        return Timeouts(
            self.connect_timeout_s, self.statement_timeout_s, self.idle_in_transaction_s
        )


class RunLog:
    """The parts of the run log; `open` runs their loops until its context ends."""

    def __init__(
        self,
        dsn: str,
        pool: ConnectionPool,
        slot: WorkerSlot,
        settings: RunLogSettings,
        counts: LogCounts = UNCOUNTED,
        told: EndListener = _tell_nobody,
    ) -> None:
        s = settings
        self.pool = pool
        self._connections = [DedicatedConnection(dsn, s.timeouts) for _ in range(3)]
        for_writer, for_heartbeats, for_listener = self._connections
        self._buffers = EventBuffers(s.window_bytes)
        self._replica = Replica(for_heartbeats, slot, lease_s=s.lease_s)
        self.writer = Writer(
            for_writer,
            self._replica,
            self._buffers,
            flush_s=s.flush_s,
            flush_bytes=s.flush_bytes,
            pending_bytes=s.pending_bytes,
            counts=counts,
        )
        for_requests = pool.within(s.request_s)
        self.queue = Queue(pool, self._replica, self.writer, self._buffers)
        self.access_changes = AccessFeed(poll_s=s.poll_s)
        self._listener = Listener(
            for_listener,
            self._buffers,
            self.writer,
            self.queue,
            access=self.access_changes,
            poll_s=s.poll_s,
            health_timeout_s=max(s.lease_s / 3, 3 * s.poll_s),
        )
        self.reader = Reader(
            for_requests, self._buffers, heartbeat_s=s.heartbeat_s, poll_s=s.poll_s
        )
        limits = AdmissionLimits(s.run_timeout_s, s.queue_max, s.idempotency_ttl_s)
        self.admission = Admissions(for_requests, self._replica, self.queue, limits, told)
        self.under_way = RequestsUnderWay(for_requests, self._replica)
        self.cancellation = Cancellation(for_requests, told)
        self.approvals = Approvals(for_requests)
        self._reaper = Reaper(
            pool,
            self._replica,
            self.writer,
            self.queue,
            self._listener,
            lease_s=s.lease_s,
            max_attempts=s.max_attempts,
            told=told,
            counts=counts,
        )
        self._maintenance = Maintenance(
            pool,
            interval_s=s.maintenance_s,
            fold_after_s=s.fold_after_s,
            retention_days=s.retention_days,
            days_ahead=s.days_ahead,
        )

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        dsn: str,
        slot: WorkerSlot,
        settings: RunLogSettings,
        counts: LogCounts = UNCOUNTED,
        told: EndListener = _tell_nobody,
    ) -> AsyncGenerator[Self]:
        """Take a lease, run every loop, and release the lease at the end.

        `told` is told of runs that end here while no process works on them.
        """
        async with ConnectionPool.open(
            dsn, settings.timeouts, size=settings.pool_size, wait_s=settings.pool_wait_s
        ) as pool:
            run_log = cls(dsn, pool, slot, settings, counts, told)
            await run_log._maintenance.prepare()
            await run_log._replica.register()
            async with asyncio.TaskGroup() as tasks:
                loops = [tasks.create_task(loop) for loop in run_log._loops()]
                try:
                    await run_log._listener.started.wait()
                    yield run_log
                finally:
                    await _cancel(loops)
                    await run_log._close()

    @property
    def ready(self) -> bool:
        """Whether this replica can execute runs: healthy database, lease held, not stopping."""
        healthy = self._listener.healthy_for() > 0 and not self.writer.failing
        return healthy and self._replica.held and not self.queue.closed

    def stop_claiming(self) -> None:
        """First step of a drain: runs of this replica may finish, only last words start here."""
        self.queue.closed = True

    def disconnect_readers(self) -> None:
        """Second step of a drain: tails end, and clients reconnect with their cursors."""
        self._buffers.drain()

    def _loops(self) -> tuple[Coroutine[None, None, None], ...]:
        return (
            self._replica.run(),
            self.writer.run(),
            self._listener.run(),
            self._reaper.run(),
            self._maintenance.run(),
            self._report_lost_leases(),
        )

    async def _report_lost_leases(self) -> None:
        """After a lost lease, stop all runs of this replica at once."""
        async for _ in self._replica.lease_losses():
            self.writer.forget_all()
            self.queue.send(LeaseRevoked())

    async def _close(self) -> None:
        try:
            async with asyncio.timeout(2):
                await self._replica.release()
        except TRANSIENT_ERRORS as error:
            log.warning("lease_not_released", error=type(error).__name__)
        for connection in self._connections:
            connection.interrupt()


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    """Cancel until all have ended, because a breaking connection may swallow a cancellation."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=0.5)

"""The writer of this process: collects the events of all its runs and commits them in groups.

A flush is one transaction: fence, events, records of steps, endings, NOTIFY. Events are published
to readers only after its commit. The pending text of one run becomes one event.
"""

import asyncio
import time
from collections.abc import Sequence

import asyncpg
import structlog

from cartrita.adapters.runlog.approvals import suspend_runs
from cartrita.adapters.runlog.batch import Batch, PendingRun
from cartrita.adapters.runlog.connection import (
    RACE_ERRORS,
    TRANSIENT_ERRORS,
    Connection,
    DedicatedConnection,
)
from cartrita.adapters.runlog.encoding import dump_event
from cartrita.adapters.runlog.event_buffers import EventBuffers
from cartrita.adapters.runlog.events import insert_events
from cartrita.adapters.runlog.finishing import finish_runs
from cartrita.adapters.runlog.replica import Lease, Replica, fence
from cartrita.adapters.runlog.steps import write_steps
from cartrita.domain.approvals import Approval
from cartrita.domain.errors import CartritaError, LeaseLost
from cartrita.domain.events import Event, RunCompleted
from cartrita.domain.ids import RunId
from cartrita.domain.ports.metrics import LogCounts
from cartrita.domain.runs import Ending
from cartrita.domain.step_records import StepRecord
from cartrita.domain.uncounted import UNCOUNTED

log = structlog.get_logger(__name__)

_IS_STORED = "SELECT data = $3::jsonb FROM run_events WHERE run_id = $1 AND seq = $2"
_RETRY_S = 0.2
_UNSTORABLE_ERRORS = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,
    UnicodeError,
    RecursionError,
    TypeError,
)
"""Errors caused by the events themselves, so a retry cannot succeed."""


class Unstorable(CartritaError):
    """The database refused the output of one run; other runs are not affected."""

    default_code = "unstorable_output"


class Writer:
    """Implements RunWriter.

    Text waits at most `flush_s` seconds, or until a run has `flush_bytes` of it. With
    `pending_bytes` uncommitted, the appends of a run wait.
    """

    def __init__(
        self,
        connection: DedicatedConnection,
        replica: Replica,
        buffers: EventBuffers,
        *,
        flush_s: float,
        flush_bytes: int,
        pending_bytes: int,
        counts: LogCounts = UNCOUNTED,
    ) -> None:
        self._counts = counts
        self._connection = connection
        self._replica = replica
        self._buffers = buffers
        self._flush_s = flush_s
        self._flush_bytes = flush_bytes
        self._pending_bytes = pending_bytes
        self._runs: dict[RunId, PendingRun] = {}
        self._dirty: dict[RunId, PendingRun] = {}
        self._work = asyncio.Event()
        self._urgent = asyncio.Event()
        self._flushed = asyncio.Condition()
        self.failing = False
        """Whether the last flush failed; it is repeated until it succeeds or the lease is lost."""
        self.backend_pid: int | None = None
        """PID of the writing database session, whose own notifications the listener ignores."""

    def add_run(self, run_id: RunId, last_seq: int) -> None:
        """Accept events of a run that this replica owns; its log ends at `last_seq`."""
        self._runs[run_id] = PendingRun(run_id, last_seq)

    @property
    def owned(self) -> list[RunId]:
        return list(self._runs)

    async def append(self, run_id: RunId, event: Event) -> None:
        run = self._owned_run(run_id)
        while run.pending_bytes >= self._pending_bytes:
            await self._next_flush()
            run = self._owned_run(run_id)
        run.add(event)
        self._mark(run, urgent=run.urgent or run.pending_bytes >= self._flush_bytes)

    def record(self, run_id: RunId, events: Sequence[Event], steps: Sequence[StepRecord]) -> None:
        """See RunWriter."""
        run = self._owned_run(run_id)
        for event in events:
            run.add(event)
        for step in steps:
            run.add_step(step)
        self._mark(run, urgent=True)

    async def commit(self, run_id: RunId) -> None:
        """See RunWriter."""
        run = self._owned_run(run_id)
        expected = run.accepted
        if run.stored < expected:
            self._mark(run, urgent=True)
        while run.stored < expected:
            await self._next_flush()
            if self._owned_run(run_id) is not run:
                raise LeaseLost("This run belongs to another server now.")

    async def suspend(
        self, run_id: RunId, events: Sequence[Event], approvals: tuple[Approval, ...]
    ) -> None:
        """See RunWriter."""
        run = self._owned_run(run_id)
        for event in events:
            run.add(event)
        run.suspend(approvals)
        await self._leave(run_id, run)

    def require(self, run_id: RunId) -> None:
        """See RunWriter."""
        self._owned_run(run_id)
        _ = self._replica.lease  # raises LeaseLost when too old

    async def end(self, run_id: RunId, ending: Ending) -> None:
        run = self._runs.get(run_id)
        if run is None:
            raise LeaseLost("This run belongs to another server now.")
        if run.failure is not None and isinstance(ending.event, RunCompleted):
            raise run.failure  # the log lacks refused output, so the run cannot end as completed
        run.close(ending)
        await self._leave(run_id, run)

    async def _leave(self, run_id: RunId, run: PendingRun) -> None:
        """Wait for the flush after which this process does not write the run any more."""
        self._mark(run, urgent=True)
        while self._runs.get(run_id) is run and run.failure is None:
            await self._next_flush()
        if run.failure is not None:
            raise run.failure

    def forget(self, run_id: RunId) -> None:
        """Stop writing a run without ending it."""
        self._drop(run_id, None)

    def forget_all(self) -> None:
        """Stop writing all runs after a lost lease. Pending events were not published."""
        for run_id in list(self._runs):
            self._drop(run_id, LeaseLost("This server lost its lease on the database."))
        self._connection.interrupt()  # a hanging flush would delay the runs of the next lease

    async def run(self) -> None:
        """Flush whenever events are pending: after `flush_s`, or at once if one is urgent."""
        while True:
            await self._work.wait()
            try:
                async with asyncio.timeout(self._flush_s):
                    await self._urgent.wait()
            except TimeoutError:
                pass
            await self._flush()

    async def _flush(self) -> None:
        batch = Batch.take(self._dirty)
        self._dirty = {}
        self._work.clear()
        self._urgent.clear()
        if batch.runs:
            try:
                await self._commit(batch, self._replica.lease)
            except LeaseLost:
                self.failing = False  # nothing is left to write
                if not self._replica.held:
                    self.forget_all()
        async with self._flushed:
            self._flushed.notify_all()

    async def _commit(self, batch: Batch, lease: Lease) -> None:
        """Commit and publish; retry during outages until this lease is lost."""
        uncertain = raced = False
        began = time.monotonic()
        while True:
            self._replica.require(lease)
            try:
                async with self._connection.acquire() as connection:
                    self.backend_pid = connection.get_server_pid()
                    await self._write(connection, lease, batch, uncertain=uncertain)
                self._publish(batch)
                seconds = time.monotonic() - began
                return self._counts.flushed(len(batch.runs), len(batch.events), seconds)
            except _UNSTORABLE_ERRORS as error:
                if raced or not isinstance(error, RACE_ERRORS):
                    return await self._one_by_one(batch, lease, error)
                raced = True
            except LeaseLost:
                self._replica.lose_lease(lease)
                raise
            except (*TRANSIENT_ERRORS, asyncpg.PostgresError) as error:
                if not self.failing:
                    log.warning("flush_failed", error=type(error).__name__, runs=len(batch.runs))
                self._counts.flush_failed()
                self.failing = uncertain = True
                await asyncio.sleep(_RETRY_S)

    async def _write(
        self, connection: Connection, lease: Lease, batch: Batch, *, uncertain: bool
    ) -> None:
        async with connection.transaction():
            await fence(connection, lease)
            if uncertain and await _committed(connection, batch):
                return
            await insert_events(connection, batch.events)
            if batch.steps:
                await write_steps(connection, batch.steps)
            if batch.suspensions:
                await suspend_runs(connection, batch.suspensions)
            if batch.endings:
                await finish_runs(connection, batch.endings)
            if batch.left:
                await connection.execute("NOTIFY cartrita_queue")
            await connection.execute("NOTIFY cartrita_events")

    async def _one_by_one(self, batch: Batch, lease: Lease, error: Exception) -> None:
        log.warning("flush_refused", error=type(error).__name__, runs=len(batch.runs))
        if len(batch.runs) > 1:
            for part in batch.split():
                await self._commit(part, lease)
        else:
            failure = Unstorable("The model's output could not be stored, so the answer ends here.")
            failure.__cause__ = error
            batch.runs[0].refuse(batch.events, failure)

    def _publish(self, batch: Batch) -> None:
        self.failing = False
        for run, taken in batch.by_run():
            run.committed(taken.events)
            run.stored = taken.accepted
            self._buffers.publish(run.run_id, taken.events)
        for run_id in batch.left:
            self._drop(run_id, None)

    def _drop(self, run_id: RunId, failure: CartritaError | None) -> None:
        run = self._runs.pop(run_id, None)
        self._dirty.pop(run_id, None)
        self._buffers.disown(run_id)
        if run is not None:
            run.failure = failure

    def _owned_run(self, run_id: RunId) -> PendingRun:
        run = self._runs.get(run_id)
        if run is None:
            raise LeaseLost("This run belongs to another server now.")
        if run.failure is not None:
            raise run.failure
        return run

    def _mark(self, run: PendingRun, *, urgent: bool) -> None:
        self._dirty[run.run_id] = run
        self._work.set()
        if urgent:
            self._urgent.set()

    async def _next_flush(self) -> None:
        async with self._flushed:
            await self._flushed.wait()


async def _committed(connection: Connection, batch: Batch) -> bool:
    """Whether a batch whose commit got no answer is committed, judged by its first event.

    Runs after the fence, so the event cannot come from another owner. Records of steps alone may be
    written again.
    """
    if not batch.events:
        return False
    first = batch.events[0]
    found: bool | None = await connection.fetchval(
        _IS_STORED, first.run_id, first.seq, dump_event(first.event)
    )
    return found is True

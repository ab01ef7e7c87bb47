"""The one writer of this process: collects the events of all its runs and commits them in groups.

A flush is one transaction: fence, events, endings, NOTIFY. Only after its commit are the events
published to readers, so nobody sees what the log lacks. Pending text of one run becomes one event.
"""

import asyncio

import asyncpg
import structlog

from cartrita.adapters.runlog import ending as endings
from cartrita.adapters.runlog.batch import Batch, OwnRun
from cartrita.adapters.runlog.connection import OUTAGE, Connection, Link
from cartrita.adapters.runlog.encoding import dump_event
from cartrita.adapters.runlog.feeds import Feeds
from cartrita.adapters.runlog.replica import Identity, Replica, fence
from cartrita.domain.errors import CartritaError, LeaseLost
from cartrita.domain.events import Event, RunCompleted
from cartrita.domain.runs import Ending
from cartrita.kit.ids import RunId

log = structlog.get_logger()

_INSERT = """
INSERT INTO run_events (run_id, seq, version, data)
SELECT * FROM unnest($1::uuid[], $2::int[], $3::smallint[], $4::jsonb[])
"""
_IS_STORED = "SELECT data = $3::jsonb FROM run_events WHERE run_id = $1 AND seq = $2"
_RETRY_S = 0.2
_OFFENCES = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,
    UnicodeError,
    RecursionError,
    TypeError,
)
"""The fault of what was written, so trying again is no use."""
_RACES = (asyncpg.UniqueViolationError, asyncpg.CheckViolationError)
"""Written already, or a partition was just made: once more, then it is an offence."""


class Unstorable(CartritaError):
    """The database refused what this run said; the others go on."""

    default_code = "unstorable_output"


class Writer:
    """Implements RunWriter. `flush` is how long text may wait, `flush_bytes` how much of it."""

    def __init__(
        self,
        link: Link,
        replica: Replica,
        feeds: Feeds,
        *,
        flush_s: float,
        flush_bytes: int,
        pending_bytes: int,
    ) -> None:
        self._link = link
        self._replica = replica
        self._feeds = feeds
        self._flush_s = flush_s
        self._flush_bytes = flush_bytes
        self._pending_bytes = pending_bytes
        self._runs: dict[RunId, OwnRun] = {}
        self._dirty: dict[RunId, OwnRun] = {}
        self._work = asyncio.Event()
        self._urgent = asyncio.Event()
        self._flushed = asyncio.Condition()
        self.failing = False
        """Whether the database refuses what there is to write: readers wait until it takes it."""
        self.backend_pid: int | None = None
        """Of our database session, whose notifications are no news to us."""

    def open(self, run_id: RunId, last_seq: int) -> None:
        """This replica owns the run now; its log ends at `last_seq`."""
        self._runs[run_id] = OwnRun(run_id, last_seq)

    @property
    def owned(self) -> list[RunId]:
        return list(self._runs)

    async def append(self, run_id: RunId, event: Event) -> None:
        run = self._own(run_id)
        while run.pending_bytes >= self._pending_bytes:
            await self._next_flush()
            run = self._own(run_id)
        run.add(event)
        self._mark(run, urgent=run.urgent or run.pending_bytes >= self._flush_bytes)

    async def end(self, run_id: RunId, ending: Ending) -> None:
        run = self._runs.get(run_id)
        if run is None:
            raise LeaseLost("This run belongs to another server now.")
        if run.failure is not None and isinstance(ending.event, RunCompleted):
            raise run.failure  # its log lacks what it said: it can only be stopped
        run.close(ending)
        self._mark(run, urgent=True)
        while self._runs.get(run_id) is run and run.failure is None:
            await self._next_flush()
        if run.failure is not None:
            raise run.failure

    def forget(self, run_id: RunId) -> None:
        """Let go of a run without ending it."""
        self._drop(run_id, None)

    def abandon(self) -> None:
        """Let go of every run: the lease is lost. What was pending was seen by nobody."""
        for run_id in list(self._runs):
            self._drop(run_id, LeaseLost("This server lost its lease on the database."))
        self._link.interrupt()  # a flush that hangs would hold up the runs of the next lease

    async def flush_for_ever(self) -> None:
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
                await self._commit(batch, self._replica.identity)
            except LeaseLost:
                self.failing = False  # there is nothing to write any more
                if not self._replica.held:
                    self.abandon()
        async with self._flushed:
            self._flushed.notify_all()

    async def _commit(self, batch: Batch, identity: Identity) -> None:
        """Commit and publish, however long the database is away, until this lease is lost."""
        unanswered = raced = False
        while True:
            self._replica.require(identity)
            try:
                async with self._link.use() as connection:
                    self.backend_pid = connection.get_server_pid()
                    await self._write(connection, identity, batch, unanswered=unanswered)
                return self._publish(batch)
            except _OFFENCES as error:
                if raced or not isinstance(error, _RACES):
                    return await self._one_by_one(batch, identity, error)
                raced = True
            except LeaseLost:
                self._replica.depose(identity)
                raise
            except (*OUTAGE, asyncpg.PostgresError) as error:
                if not self.failing:
                    log.warning("flush_failed", error=type(error).__name__, runs=len(batch.runs))
                self.failing = unanswered = True
                await asyncio.sleep(_RETRY_S)

    async def _write(
        self, connection: Connection, identity: Identity, batch: Batch, *, unanswered: bool
    ) -> None:
        async with connection.transaction():
            await fence(connection, identity)
            if unanswered and await _committed(connection, batch):
                return
            await connection.execute(_INSERT, *batch.columns)
            if batch.endings:
                await endings.store(connection, batch.endings)
                await connection.execute("NOTIFY cartrita_queue")
            await connection.execute("NOTIFY cartrita_events")

    async def _one_by_one(self, batch: Batch, identity: Identity, error: Exception) -> None:
        log.warning("flush_refused", error=type(error).__name__, runs=len(batch.runs))
        if len(batch.runs) > 1:
            for part in batch.split():
                await self._commit(part, identity)
        else:
            failure = Unstorable("The model's output could not be stored, so the answer ends here.")
            failure.__cause__ = error
            batch.runs[0].refuse(batch.events, failure)

    def _publish(self, batch: Batch) -> None:
        self.failing = False
        for run, events in batch.by_run():
            run.committed(events)
            self._feeds.publish(run.run_id, events)
        for run_id in batch.ended:
            self._drop(run_id, None)

    def _drop(self, run_id: RunId, failure: CartritaError | None) -> None:
        run = self._runs.pop(run_id, None)
        self._dirty.pop(run_id, None)
        self._feeds.disown(run_id)
        if run is not None:
            run.failure = failure

    def _own(self, run_id: RunId) -> OwnRun:
        run = self._runs.get(run_id)
        if run is None:
            raise LeaseLost("This run belongs to another server now.")
        if run.failure is not None:
            raise run.failure
        return run

    def _mark(self, run: OwnRun, *, urgent: bool) -> None:
        self._dirty[run.run_id] = run
        self._work.set()
        if urgent:
            self._urgent.set()

    async def _next_flush(self) -> None:
        async with self._flushed:
            await self._flushed.wait()


async def _committed(connection: Connection, batch: Batch) -> bool:
    """Whether a commit whose answer never came took effect: all of it did or none.

    Asked behind the fence, so what is found cannot have been written by a successor.
    """
    first = batch.events[0]
    found: bool | None = await connection.fetchval(
        _IS_STORED, first.run_id, first.seq, dump_event(first.event)
    )
    return found is True

"""Asking a run to stop, from any process: its owner hears of it, a queued one ends at once."""

from cartrita.adapters.runlog import ending as endings
from cartrita.adapters.runlog.connection import Connection, Database, Row
from cartrita.adapters.runlog.encoding import VERSION, dump
from cartrita.adapters.runlog.rows import COLUMNS, to_run
from cartrita.domain.errors import NotFound
from cartrita.domain.events import RunStarted, RunStopped, StopStatus
from cartrita.domain.runs import Ending, Run, RunStatus
from cartrita.domain.usage import Usage
from cartrita.kit.ids import RunId, public

_LOCK = f"""
SELECT {COLUMNS},
  (SELECT external_id FROM conversations c WHERE c.id = conversation_id) AS external_id
FROM runs WHERE id = $1 AND owner_id = $2 FOR UPDATE
"""
_REQUEST = """
UPDATE runs SET cancel_requested_at = coalesce(cancel_requested_at, now()) WHERE id = $1
"""
_LOGGED = "SELECT count(*) FROM run_events WHERE run_id = $1"
_EVENTS = """
INSERT INTO run_events (run_id, seq, version, data)
SELECT * FROM unnest($1::uuid[], $2::int[], $3::smallint[], $4::jsonb[])
"""
_WITHDRAW = "DELETE FROM messages WHERE id = $1 AND status = 'queued'"


class Cancellation:
    """Implements RunCancellation."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def cancel(self, owner_id: str, run_id: RunId) -> Run:
        async with self._database.transaction() as connection:
            await request(connection, owner_id, run_id)
            row = await connection.fetchrow(_LOCK, run_id, owner_id)
        if row is None:
            raise NotFound("There is no such run.", code="run_not_found")
        return to_run(row)


async def request(connection: Connection, owner_id: str, run_id: RunId) -> None:
    """Ask a run to stop, in the caller's transaction; one that is queued ends at once."""
    row = await connection.fetchrow(_LOCK, run_id, owner_id)
    if row is None:
        return
    run = to_run(row)
    if not run.status.ended:
        await connection.execute(_REQUEST, run_id)
    if run.status is RunStatus.QUEUED:
        await _withdraw(connection, run, row)
    await connection.execute("NOTIFY cartrita_queue")


async def _withdraw(connection: Connection, run: Run, row: Row) -> None:
    """End a run that nobody has begun, or that nobody has gone on with."""
    stopped = RunStopped(StopStatus.CANCELLED, "cancelled", "The answer was cancelled.", False)
    events: list[RunStarted | RunStopped] = [stopped]
    logged: int = await connection.fetchval(_LOGGED, run.id)
    if logged == 0:
        events.insert(0, _started(run, row))
    numbers = list(range(logged + 1, logged + 1 + len(events)))
    await connection.execute(
        _EVENTS,
        [run.id] * len(events),
        numbers,
        [VERSION] * len(events),
        [dump(event) for event in events],
    )
    ending = Ending(status=RunStatus.CANCELLED, event=stopped, usage=Usage(), message=None)
    await endings.store(connection, [(run.id, numbers[-1], ending)])
    await connection.execute(_WITHDRAW, run.user_message_id)
    await connection.execute("NOTIFY cartrita_events")


def _started(run: Run, row: Row) -> RunStarted:
    return RunStarted(
        conversation_id=row["external_id"] or public("conv", run.conversation_id),
        message_id=public("msg", run.message_id),
        agent=run.agent,
        model=run.model,
        provider=run.provider,
        resumed=bool(run.input.prefix),
    )

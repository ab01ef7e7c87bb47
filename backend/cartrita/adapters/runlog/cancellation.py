"""Cancelling runs from any process: the owner is notified, one without an owner ends at once."""

from cartrita.adapters.runlog.connection import Connection, ConnectionPool, Row
from cartrita.adapters.runlog.encoding import RUN_COLUMNS, load_run
from cartrita.adapters.runlog.events import insert_events, select_events
from cartrita.adapters.runlog.finishing import end_unowned
from cartrita.adapters.runlog.new_messages import drop_messages
from cartrita.adapters.runlog.starting import HEARD, started_event
from cartrita.domain import endings
from cartrita.domain.errors import NotFound
from cartrita.domain.events import LoggedEvent
from cartrita.domain.ids import RunId
from cartrita.domain.ports.runs import EndListener
from cartrita.domain.runs import Ending, Run, RunStatus

_LOCK = f"""
SELECT {RUN_COLUMNS}, {HEARD} FROM runs WHERE id = $1 AND owner_id = $2 FOR UPDATE
"""
_REQUEST = """
UPDATE runs SET cancel_requested_at = coalesce(cancel_requested_at, now()) WHERE id = $1
"""


class Cancellation:
    """Implements RunCancellation; `told` is told of runs that end by it."""

    def __init__(self, pool: ConnectionPool, told: EndListener) -> None:
        self._pool = pool
        self._told = told

    async def cancel(self, owner_id: str, run_id: RunId) -> Run:
        async with self._pool.transaction() as connection:
            ended = await request_cancel(connection, owner_id, run_id)
            row = await connection.fetchrow(_LOCK, run_id, owner_id)
        if ended is not None:
            self._told(*ended)
        if row is None:
            raise NotFound.of("run")
        return load_run(row)


async def request_cancel(
    connection: Connection, owner_id: str, run_id: RunId
) -> tuple[Run, Ending] | None:
    """Request cancellation in the caller's transaction; a run that is not executed ends at once.

    Returns the run and its end if it does.
    """
    row = await connection.fetchrow(_LOCK, run_id, owner_id)
    if row is None:
        return None
    run = load_run(row)
    if not run.status.ended:
        await connection.execute(_REQUEST, run_id)
    ended = None
    if run.status in (RunStatus.QUEUED, RunStatus.WAITING):
        ended = run, await _end_unowned(connection, run, row)
    await connection.execute("NOTIFY cartrita_queue")
    return ended


async def _end_unowned(connection: Connection, run: Run, row: Row) -> Ending:
    """End a run that nobody executes, and delete its new messages if it has never started.

    One that started keeps what was seen of it.
    """
    logged = await select_events(connection, run.id)
    if not logged:
        started = started_event(
            run.conversation_id,
            row["external_id"],
            run.message_id,
            agent=run.agent,
            provider=run.provider,
            model=run.model,
            resumed=run.input is not None and bool(run.input.prefix),
            heard=row["heard"],
        )
        logged = [LoggedEvent(run.id, 1, started)]
        await insert_events(connection, logged)
    ending = await end_unowned(connection, run.id, logged, endings.cancelled)
    await drop_messages(connection, run.user_message_id)
    await connection.execute("NOTIFY cartrita_events")
    return ending

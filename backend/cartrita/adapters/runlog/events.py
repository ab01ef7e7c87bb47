"""Rows of the run_events table: the one INSERT, and reading the events of a run."""

from collections.abc import Sequence

from cartrita.adapters.runlog.connection import Connection, Row
from cartrita.adapters.runlog.encoding import VERSION, dump_event, load_event
from cartrita.adapters.runlog.tasks import write_tasks
from cartrita.domain.events import LoggedEvent
from cartrita.domain.ids import RunId

_INSERT = """
INSERT INTO run_events (run_id, seq, version, data)
SELECT * FROM unnest($1::uuid[], $2::int[], $3::smallint[], $4::jsonb[])
"""
_SELECT = "SELECT seq, data FROM run_events WHERE run_id = $1 ORDER BY seq"


async def insert_events(connection: Connection, events: Sequence[LoggedEvent]) -> None:
    """Raises what the database or the encoder raises for an event that cannot be stored."""
    await connection.execute(
        _INSERT,
        [event.run_id for event in events],
        [event.seq for event in events],
        [VERSION] * len(events),
        [dump_event(event.event) for event in events],
    )
    await write_tasks(connection, events)


async def select_events(connection: Connection, run_id: RunId) -> list[LoggedEvent]:
    """The complete log of a run. Raises msgspec.ValidationError for an event it cannot decode."""
    return load_events(run_id, await select_rows(connection, run_id))


async def select_rows(connection: Connection, run_id: RunId) -> list[Row]:
    """The complete log of a run, as `load_events` reads it."""
    return await connection.fetch(_SELECT, run_id)


def size_of(rows: list[Row]) -> int:
    """The characters of JSON in these rows."""
    return sum(len(row["data"]) for row in rows)


def load_events(run_id: RunId, rows: list[Row]) -> list[LoggedEvent]:
    """Decode rows with `seq` and `data`. Raises msgspec.ValidationError."""
    return [LoggedEvent(run_id, row["seq"], load_event(row["data"])) for row in rows]

"""Runs that the database gives to this replica while nobody here knows of them.

A commit whose answer was lost leaves one: its owner is alive, so no lease would ever end it.
"""

import structlog

from cartrita.adapters.runlog.connection import Database
from cartrita.adapters.runlog.queue import Queue
from cartrita.adapters.runlog.replica import Replica
from cartrita.adapters.runlog.writer import Writer
from cartrita.kit.ids import RunId

log = structlog.get_logger()

_MINE = """
SELECT id, attempt FROM runs WHERE replica_id = $1 AND replica_epoch = $2 AND status = 'running'
"""
_DISOWN = """
UPDATE runs SET replica_id = NULL, replica_epoch = NULL
WHERE id = ANY($1::uuid[]) AND replica_id = $2 AND status = 'running'
"""


class Strays:
    """Whatever is seen twice is given back, for the reaper to settle."""

    def __init__(self, database: Database, replica: Replica, writer: Writer, queue: Queue) -> None:
        self._database = database
        self._replica = replica
        self._writer = writer
        self._queue = queue
        self._suspects: set[RunId] = set()

    async def give_back(self) -> None:
        """Once is not enough: news of a commit comes a moment after the commit itself."""
        if not self._replica.held:
            return
        identity = self._replica.identity
        async with self._database.use() as connection:
            rows = await connection.fetch(_MINE, identity.id, identity.epoch)
            attempts: dict[RunId, int] = {RunId(row["id"]): row["attempt"] for row in rows}
            unknown = set(attempts) - set(self._writer.owned)
            sure, self._suspects = unknown & self._suspects, unknown
            if sure:
                log.warning("runs_given_back", runs=len(sure))
                self._queue.disclaim({run_id: attempts[run_id] for run_id in sure})
                await connection.execute(_DISOWN, list(sure), identity.id)

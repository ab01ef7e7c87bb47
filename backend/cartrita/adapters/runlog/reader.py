"""Reading logs: from the database up to now, then live, without a hole between."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TypeAlias

import msgspec

from cartrita.adapters.runlog.connection import Database, Row
from cartrita.adapters.runlog.encoding import load_event
from cartrita.adapters.runlog.feeds import Feed, Feeds
from cartrita.adapters.runlog.folded import unpack
from cartrita.adapters.runlog.rows import COLUMNS, to_run
from cartrita.domain.errors import NotFound, Unavailable
from cartrita.domain.events import LoggedEvent
from cartrita.domain.fold import fold
from cartrita.domain.messages import Message, Part, Role
from cartrita.domain.runs import Queued, Run, RunStatus, Snapshot
from cartrita.kit.ids import ConversationId, MessageId, RunId

_PAGE = 128
_EVENTS = f"""
SELECT seq, data FROM run_events WHERE run_id = $1 AND seq > $2 ORDER BY seq LIMIT {_PAGE}
"""
_UP_TO = "SELECT seq, data FROM run_events WHERE run_id = $1 AND seq <= $2 ORDER BY seq"
# What a run is where its log has nothing (more): queued, running, ended here, folded or forgotten.
_STATE = """
SELECT r.status, r.last_seq, l.items,
  (SELECT count(*) FROM runs q WHERE q.conversation_id = r.conversation_id
     AND q.status IN ('queued', 'running', 'waiting') AND q.queue_no < r.queue_no) AS ahead,
  (SELECT max(seq) FROM run_events e WHERE e.run_id = r.id) AS tip,
  (SELECT jsonb_agg(parts) FROM messages m WHERE m.run_id = r.id) AS left_behind
FROM runs r LEFT JOIN run_logs l ON l.run_id = r.id WHERE r.id = $1
"""
_RUN = f"SELECT {COLUMNS} FROM runs WHERE id = $1 AND owner_id = $2"
_LATEST = f"""
SELECT {COLUMNS} FROM runs r WHERE owner_id = $1 AND user_message_id = $2
  AND conversation_id = (SELECT conversation_id FROM messages WHERE id = $2)
ORDER BY queue_no DESC LIMIT 1
"""
_ACTIVE = """
SELECT id FROM runs WHERE owner_id = $1 AND conversation_id = $2
  AND status IN ('queued', 'running', 'waiting') ORDER BY queue_no
"""
Told: TypeAlias = LoggedEvent | Queued | Snapshot
_parts = msgspec.json.Decoder(list[tuple[Part, ...]])


class Reader:
    """Implements RunReader. `heartbeat_s` is the longest silence of a tail."""

    def __init__(
        self, database: Database, feeds: Feeds, *, heartbeat_s: float, poll_s: float
    ) -> None:
        self._database = database
        self._feeds = feeds
        self._heartbeat_s = heartbeat_s
        self._poll_s = poll_s

    async def run(self, owner_id: str, run_id: RunId) -> Run:
        async with self._database.use() as connection:
            row = await connection.fetchrow(_RUN, run_id, owner_id)
        if row is None:
            raise NotFound("There is no such run.", code="run_not_found")
        return to_run(row)

    async def latest(self, owner_id: str, user_message_id: MessageId) -> Run | None:
        async with self._database.use() as connection:
            row = await connection.fetchrow(_LATEST, owner_id, user_message_id)
        return None if row is None else to_run(row)

    async def active(self, owner_id: str, conversation_id: ConversationId) -> list[RunId]:
        async with self._database.use() as connection:
            rows = await connection.fetch(_ACTIVE, owner_id, conversation_id)
        return [RunId(row["id"]) for row in rows]

    @asynccontextmanager
    async def tail(self, run_id: RunId, after: int) -> AsyncGenerator[AsyncIterator[Told | None]]:
        """See RunReader. Raises Unavailable (`draining`) where readers must come back elsewhere."""
        with self._feeds.read(run_id) as feed:
            told = self._tail(run_id, feed, after)
            try:
                yield told
            finally:
                await told.aclose()

    async def _tail(self, run_id: RunId, feed: Feed, cursor: int) -> AsyncGenerator[Told | None]:
        spoke = time.monotonic()
        place: Queued | None = None
        doubtful = False
        while not self._feeds.draining:
            found = await self._next(run_id, feed, cursor, doubtful=doubtful)
            if found is None:
                return
            quiet, doubtful = True, False
            for told in found:
                if told == place:
                    continue
                yield told
                quiet, spoke = False, time.monotonic()
                if isinstance(told, Queued):
                    place = told
                    continue
                cursor = told.seq
                if isinstance(told, LoggedEvent) and told.terminal:
                    return
            if quiet and not await self._news(feed, cursor, spoke):
                yield None
                spoke = time.monotonic()
                doubtful = not feed.owned
        raise Unavailable("This server is about to stop; come back.", code="draining")

    async def _news(self, feed: Feed, cursor: int, spoke: float) -> bool:
        """Wait for a change, or to look again; False where a heartbeat is due."""
        known = feed.after(cursor)
        patience = self._heartbeat_s - (time.monotonic() - spoke)
        if known is None:
            patience = min(patience, self._poll_s)
        if patience > 0 and not known:
            await asyncio.wait([feed.changed()], timeout=patience)
        return time.monotonic() - spoke < self._heartbeat_s

    async def _next(
        self, run_id: RunId, feed: Feed, cursor: int, *, doubtful: bool
    ) -> Sequence[Told] | None:
        """What is known here, or else what the database says.

        A deleted run says nothing more, so a silent one that is written elsewhere is `doubtful`.
        """
        known = feed.after(cursor)
        if known is None and feed.base is None and feed.place is not None:
            return [Queued(run_id, feed.place)]
        if known is None:
            return await self._look(run_id, feed, cursor)
        if doubtful and not known:
            with suppress(Unavailable):
                return await self._look(run_id, feed, cursor)
        return known

    async def _look(self, run_id: RunId, feed: Feed, cursor: int) -> Sequence[Told] | None:
        """What the database says after a cursor; None where nothing will ever come."""
        async with self._database.use() as connection:
            rows = await connection.fetch(_EVENTS, run_id, cursor)
            state = None if rows else await connection.fetchrow(_STATE, run_id)
        if rows:
            if len(rows) < _PAGE:
                feed.begin(rows[-1]["seq"])
            return _events(run_id, rows)
        if state is None:
            raise NotFound("There is no such run.", code="run_not_found")
        if state["status"] == RunStatus.QUEUED:
            return [Queued(run_id, max(1, state["ahead"]))]
        tip: int = state["last_seq"] or state["tip"] or 0
        if cursor > tip:
            # The end of an ended run is told after what stands for everything before it, where it
            # is in the log still.
            kept = state["items"] is not None or state["tip"] is not None
            seen = tip - 1 if kept and RunStatus(state["status"]).ended else tip
            return [await self._snapshot(run_id, state, seen, recovered=False)]
        if state["items"] is not None:
            return unpack(run_id, state["items"], cursor) or None
        if RunStatus(state["status"]).ended:
            return await self._old(run_id, state, cursor, tip)
        feed.begin(cursor)
        return []

    async def _old(self, run_id: RunId, state: Row, cursor: int, tip: int) -> Sequence[Told] | None:
        """An ended run that is not folded: seen whole, being folded now, or past its retention."""
        if cursor == tip:
            return None
        if state["tip"] is None:
            return [await self._snapshot(run_id, state, tip, recovered=True)]
        return []

    async def _snapshot(self, run_id: RunId, state: Row, tip: int, *, recovered: bool) -> Snapshot:
        if state["left_behind"] is not None:
            kept = _parts.decode(state["left_behind"])
            messages = tuple(Message(Role.ASSISTANT, parts) for parts in kept)
        else:
            async with self._database.use() as connection:
                rows = await connection.fetch(_UP_TO, run_id, tip)
            message = fold([event.event for event in _events(run_id, rows)]).message
            messages = () if message is None else (message,)
        return Snapshot(run_id, tip, messages, recovered)


def _events(run_id: RunId, rows: list[Row]) -> list[LoggedEvent]:
    return [LoggedEvent(run_id, row["seq"], load_event(row["data"])) for row in rows]

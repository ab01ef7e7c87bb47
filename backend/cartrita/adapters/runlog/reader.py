"""The reader: follows logs from any cursor, first from the database, then live, without a gap."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import msgspec

from cartrita.adapters.runlog.connection import ConnectionPool, Row
from cartrita.adapters.runlog.encoding import RUN_COLUMNS, load_run
from cartrita.adapters.runlog.event_buffers import EventBuffer, EventBuffers
from cartrita.adapters.runlog.events import load_events, select_events
from cartrita.adapters.runlog.folding import unfold_events
from cartrita.domain.errors import NotFound, Unavailable
from cartrita.domain.events import LoggedEvent
from cartrita.domain.fold import fold
from cartrita.domain.ids import ConversationId, MessageId, RunId
from cartrita.domain.messages import Message, Part, Role
from cartrita.domain.runs import Queued, Run, RunStatus, Snapshot, TailItem

_PAGE_EVENTS = 128
_PAGE_BYTES = 32 << 10
"""A slow reader holds one page of the log; a page exceeds this by one event at most."""
# `last` says that no event follows: the page was cut neither by number nor by size.
_EVENTS = f"""
SELECT seq, data, events < {_PAGE_EVENTS} AND total <= {_PAGE_BYTES} AS last FROM (
  SELECT seq, data, count(*) OVER () AS events, sum(size) OVER () AS total,
    sum(size) OVER (ORDER BY seq) - size AS before
  FROM (SELECT seq, data, pg_column_size(data) AS size FROM run_events
        WHERE run_id = $1 AND seq > $2 ORDER BY seq LIMIT {_PAGE_EVENTS}) AS page
) AS sized WHERE before < {_PAGE_BYTES} ORDER BY seq
"""
# The state of a run that has no events after the cursor: queued, running, ended, folded or expired.
_STATE = """
SELECT r.status, r.last_seq, l.items,
  (SELECT count(*) FROM runs q WHERE q.conversation_id = r.conversation_id
     AND q.status IN ('queued', 'running', 'waiting') AND q.queue_no < r.queue_no) AS ahead,
  (SELECT max(seq) FROM run_events e WHERE e.run_id = r.id) AS last_logged,
  (SELECT jsonb_agg(parts) FROM messages m WHERE m.run_id = r.id) AS messages
FROM runs r LEFT JOIN run_logs l ON l.run_id = r.id WHERE r.id = $1
"""
_RUN = f"SELECT {RUN_COLUMNS} FROM runs WHERE id = $1 AND owner_id = $2"
_LATEST = f"""
SELECT {RUN_COLUMNS} FROM runs r WHERE owner_id = $1 AND user_message_id = $2
  AND conversation_id = (SELECT conversation_id FROM messages WHERE id = $2)
ORDER BY queue_no DESC LIMIT 1
"""
_ACTIVE = """
SELECT id FROM runs WHERE owner_id = $1 AND conversation_id = $2
  AND status IN ('queued', 'running', 'waiting') ORDER BY queue_no
"""
_parts = msgspec.json.Decoder(list[tuple[Part, ...]])


class Reader:
    """Implements RunReader.

    A tail yields None after `heartbeat_s` seconds without an event. While it waits for a run whose
    events are not buffered here, it queries the database every `poll_s` seconds.
    """

    def __init__(
        self, pool: ConnectionPool, buffers: EventBuffers, *, heartbeat_s: float, poll_s: float
    ) -> None:
        self._pool = pool
        self._buffers = buffers
        self._heartbeat_s = heartbeat_s
        self._poll_s = poll_s

    async def get(self, owner_id: str, run_id: RunId) -> Run:
        async with self._pool.acquire() as connection:
            row = await connection.fetchrow(_RUN, run_id, owner_id)
        if row is None:
            raise NotFound.of("run")
        return load_run(row)

    async def latest(self, owner_id: str, user_message_id: MessageId) -> Run | None:
        async with self._pool.acquire() as connection:
            row = await connection.fetchrow(_LATEST, owner_id, user_message_id)
        return None if row is None else load_run(row)

    async def active(self, owner_id: str, conversation_id: ConversationId) -> list[RunId]:
        async with self._pool.acquire() as connection:
            rows = await connection.fetch(_ACTIVE, owner_id, conversation_id)
        return [RunId(row["id"]) for row in rows]

    @asynccontextmanager
    async def tail(
        self, run_id: RunId, after: int
    ) -> AsyncGenerator[AsyncIterator[TailItem | None]]:
        """See RunReader. Raises Unavailable (`draining`) when this server is about to stop."""
        with self._buffers.subscribe(run_id) as buffer:
            items = self._tail(run_id, buffer, after)
            try:
                yield items
            finally:
                await items.aclose()

    async def _tail(
        self, run_id: RunId, buffer: EventBuffer, cursor: int
    ) -> AsyncGenerator[TailItem | None]:
        last_yield = time.monotonic()
        position: Queued | None = None
        may_be_deleted = False
        while not self._buffers.draining:
            found = await self._next(run_id, buffer, cursor, may_be_deleted=may_be_deleted)
            if found is None:
                return
            idle, may_be_deleted = True, False
            for item in found:
                if item == position:
                    continue
                yield item
                idle, last_yield = False, time.monotonic()
                if isinstance(item, Queued):
                    position = item
                    continue
                cursor = item.seq
                if isinstance(item, LoggedEvent) and item.terminal:
                    return
            if idle and not await self._wait(buffer, cursor, last_yield):
                yield None
                last_yield = time.monotonic()
                may_be_deleted = not buffer.owned
        raise Unavailable("This server is about to stop; come back.", code="draining")

    async def _wait(self, buffer: EventBuffer, cursor: int, last_yield: float) -> bool:
        """Wait for a change or the next poll; False if a heartbeat is due."""
        known = buffer.after(cursor)
        timeout = self._heartbeat_s - (time.monotonic() - last_yield)
        if known is None:
            timeout = min(timeout, self._poll_s)
        if timeout > 0 and not known:
            await asyncio.wait([buffer.changed()], timeout=timeout)
        return time.monotonic() - last_yield < self._heartbeat_s

    async def _next(
        self, run_id: RunId, buffer: EventBuffer, cursor: int, *, may_be_deleted: bool
    ) -> Sequence[TailItem] | None:
        """The next items from the buffer, or else from the database; None at the end.

        Nothing announces the deletion of a run, so an idle one that is written elsewhere
        `may_be_deleted`, and is looked up in the database.
        """
        known = buffer.after(cursor)
        if known is None and buffer.base_seq is None and buffer.queue_position is not None:
            return [Queued(run_id, buffer.queue_position)]
        if known is None:
            return await self._query(run_id, buffer, cursor)
        if may_be_deleted and not known:
            with suppress(Unavailable):
                return await self._query(run_id, buffer, cursor)
        return known

    async def _query(
        self, run_id: RunId, buffer: EventBuffer, cursor: int
    ) -> Sequence[TailItem] | None:
        """The next items from the database; None if nothing can follow. Raises NotFound."""
        async with self._pool.acquire() as connection:
            rows = await connection.fetch(_EVENTS, run_id, cursor)
            state = None if rows else await connection.fetchrow(_STATE, run_id)
        if rows:
            if rows[-1]["last"]:
                buffer.advance_to(rows[-1]["seq"])
            return load_events(run_id, rows)
        if state is None:
            raise NotFound.of("run")
        if state["status"] == RunStatus.QUEUED:
            return [Queued(run_id, max(1, state["ahead"]))]
        last_seq: int = state["last_seq"] or state["last_logged"] or 0
        if cursor > last_seq:
            # The terminal event of an ended run follows the snapshot, if the log still has it.
            kept = state["items"] is not None or state["last_logged"] is not None
            up_to = last_seq - 1 if kept and RunStatus(state["status"]).ended else last_seq
            return [await self._snapshot(run_id, state, up_to, recovered=False)]
        if state["items"] is not None:
            return unfold_events(run_id, state["items"], cursor, _PAGE_BYTES) or None
        if RunStatus(state["status"]).ended:
            return await self._query_ended(run_id, state, cursor, last_seq)
        buffer.advance_to(cursor)
        return []

    async def _query_ended(
        self, run_id: RunId, state: Row, cursor: int, last_seq: int
    ) -> Sequence[TailItem] | None:
        """The next items of an ended run without a folded log.

        The reader has all of it, or the log is past its retention, or it is being folded right now
        and has to be queried again.
        """
        if cursor == last_seq:
            return None
        if state["last_logged"] is None:
            return [await self._snapshot(run_id, state, last_seq, recovered=True)]
        return []

    async def _snapshot(
        self, run_id: RunId, state: Row, up_to: int, *, recovered: bool
    ) -> Snapshot:
        if state["messages"] is not None:
            kept = _parts.decode(state["messages"])
            messages = tuple(Message(Role.ASSISTANT, parts) for parts in kept)
        else:
            async with self._pool.acquire() as connection:
                logged = await select_events(connection, run_id)
            message = fold([event.event for event in logged if event.seq <= up_to]).message
            messages = () if message is None else (message,)
        return Snapshot(run_id, up_to, messages, recovered)

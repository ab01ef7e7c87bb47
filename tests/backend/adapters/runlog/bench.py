"""Replicas on one database, driven by hand: who claims, says and ends is the test's business."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from cartrita.adapters.postgres import Endpoint
from cartrita.adapters.runlog.connection import Database
from cartrita.adapters.runlog.log import RunLog, Tuning
from cartrita.adapters.runlog.replica import Place
from cartrita.domain.errors import Unavailable
from cartrita.domain.events import Event, TextAppended
from cartrita.domain.messages import Message, Role, Text
from cartrita.domain.runs import (
    Admission,
    Admitted,
    NewMessage,
    RunInput,
)
from cartrita.kit.ids import ConversationId, MessageId, RunId, uuid7

TUNING = Tuning(
    lease_s=60,
    poll_s=0.1,
    heartbeat_s=60,
    flush_s=0.02,
    flush_bytes=4096,
    pending_bytes=1 << 20,
    window_bytes=1 << 16,
    pool_size=8,
    pool_wait_s=5,
    connect_timeout_s=5,
    statement_timeout_s=20,
    idle_in_transaction_s=5,
    run_timeout_s=600,
    max_attempts=3,
    queue_max=20,
    idempotency_ttl_s=100,
    maintenance_s=3600,
    fold_after_s=3600,
    retention_days=3,
    days_ahead=0,
)


class Bench:
    """One database; its replicas are workers of one server unless a test says otherwise."""

    def __init__(self, endpoint: Endpoint, direct: Any) -> None:
        self.endpoint = endpoint
        self.dsn = endpoint.dsn()
        self.direct = direct
        """A connection of the test's own."""
        self.instance = uuid7()

    @asynccontextmanager
    async def replica(
        self,
        slot: int = 0,
        *,
        dsn: str | None = None,
        instance: UUID | None = None,
        **changed: Any,
    ) -> AsyncGenerator[RunLog]:
        """A whole one, with all its loops."""
        place = Place(instance or self.instance, slot, 9)
        tuning = msgspec.structs.replace(TUNING, **changed)
        async with RunLog.opened(dsn or self.dsn, place, tuning) as log:
            yield log

    @asynccontextmanager
    async def frozen(
        self, slot: int = 8, *, dsn: str | None = None, **changed: Any
    ) -> AsyncGenerator[RunLog]:
        """A registered one whose loops do not run: it neither beats nor looks nor flushes."""
        tuning = msgspec.structs.replace(TUNING, **changed)
        async with Database.opened(dsn or self.dsn, tuning.opening, size=4, wait_s=5) as database:
            log = RunLog(dsn or self.dsn, database, Place(uuid7(), slot, 9), tuning)
            await log._replica.register()
            try:
                yield log
            finally:
                for link in log._links:
                    link.interrupt()

    async def rows(self, query: str, *arguments: object) -> list[dict[str, Any]]:
        return [dict(row) for row in await self.direct.fetch(query, *arguments)]

    async def value(self, query: str, *arguments: object) -> Any:
        return await self.direct.fetchval(query, *arguments)

    async def status(self, run_id: RunId) -> str:
        return await self.value("SELECT status FROM runs WHERE id = $1", run_id)

    async def log(self, run_id: RunId) -> list[tuple[int, Event]]:
        """What the database holds, in order."""
        rows = await self.rows(
            "SELECT seq, data FROM run_events WHERE run_id = $1 ORDER BY seq", run_id
        )
        return [(row["seq"], msgspec.json.decode(row["data"], type=Event)) for row in rows]

    async def texts(self, run_id: RunId) -> str:
        events = await self.log(run_id)
        return "".join(event.text for _, event in events if isinstance(event, TextAppended))

    async def expire(self, log: RunLog) -> None:
        """End a replica's lease now, as time would."""
        await self.direct.execute(
            "UPDATE replicas SET expires_at = clock_timestamp() - interval '1 s' WHERE id = $1",
            log._replica.identity.id,
        )

    @asynccontextmanager
    async def session(self) -> AsyncGenerator[Any]:
        """Another database session of the test's own, for holding locks."""
        connection: Any = await asyncpg.connect(self.dsn)
        try:
            yield connection
        finally:
            await connection.close()


def admission(text: str = "Hello", **values: Any) -> Admission:
    """A message in a new conversation."""
    given: dict[str, Any] = {
        "owner_id": "ann",
        "surface": "native",
        "input": RunInput(agent="assistant", provider="p", model="m"),
        "title": "Hello",
        **values,
    }
    if "answer_to" not in given and "new_message" not in given:
        given["new_message"] = NewMessage(message=words(text))
    return Admission(**given)


def words(text: str) -> Message:
    return Message(Role.USER, (Text(text),))


def idle(log: RunLog) -> bool:
    """Whether none of its pooled connections is in use."""
    pool: Any = log.queue._database._pool
    return pool.get_idle_size() == pool.get_size()


async def retried(log: RunLog, **values: Any) -> Admitted:
    """As a patient caller does it."""
    while True:
        try:
            return await log.admission.admit(admission(**values))
        except Unavailable:
            await asyncio.sleep(0.02)


async def a_conversation(bench: Bench, **values: Any) -> ConversationId:
    """An empty one."""
    conversation = ConversationId(uuid7())
    given: dict[str, Any] = {"id": conversation, "owner_id": "ann", "title": "t", **values}
    names, places = ", ".join(given), ", ".join(f"${n}" for n in range(1, len(given) + 1))
    await bench.direct.execute(
        f"INSERT INTO conversations ({names}) VALUES ({places})", *given.values()
    )
    return conversation


async def a_message(
    session: Any, conversation: ConversationId, said: str, parent: MessageId | None, depth: int
) -> MessageId:
    """One that stands in the tree, as an edit of an answer puts it there."""
    message = MessageId(uuid7())
    await session.execute(
        "INSERT INTO messages (id, owner_id, conversation_id, parent_id, depth, role, parts)"
        " VALUES ($1, 'ann', $2, $3, $4, 'assistant',"
        " jsonb_build_array(jsonb_build_object('type', 'text', 'text', $5::text)))",
        message,
        conversation,
        parent,
        depth,
        said,
    )
    return message


HOLD = "SELECT 1 FROM replicas FOR UPDATE"
"""What a reaper does: every flush waits for it."""


@asynccontextmanager
async def held_flush(bench: Bench) -> AsyncGenerator[Any]:
    """Flushes wait while this is open; yields the session that holds them."""
    async with bench.session() as other:
        holding = other.transaction()
        await holding.start()
        await other.execute(HOLD)
        yield other
        await holding.rollback()


async def lock_waits(bench: Bench) -> bool:
    return await bench.value("SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted)")

"""Fixtures for run log tests: replicas on one database, admissions, and rows to start from."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from cartrita.adapters.postgres import DatabaseEndpoint
from cartrita.adapters.runlog.connection import ConnectionPool
from cartrita.adapters.runlog.run_log import RunLog, RunLogSettings
from cartrita.adapters.runlog.worker_slot import WorkerSlot
from cartrita.domain.errors import Unavailable
from cartrita.domain.events import Event, TextAppended
from cartrita.domain.ids import ConversationId, MessageId, RunId
from cartrita.domain.messages import Message, Role, Text
from cartrita.domain.ports.metrics import LogCounts
from cartrita.domain.runs import (
    Admission,
    Admitted,
    NewMessage,
    RunInput,
)
from cartrita.domain.uncounted import UNCOUNTED
from cartrita.kit.ids import uuid7

SETTINGS = RunLogSettings(
    lease_s=60,
    poll_s=0.1,
    heartbeat_s=60,
    flush_s=0.02,
    flush_bytes=4096,
    pending_bytes=1 << 20,
    window_bytes=1 << 16,
    pool_size=8,
    pool_wait_s=5,
    request_s=5,
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


class Cluster:
    """One database with any number of replicas; by default they belong to one data directory."""

    def __init__(self, endpoint: DatabaseEndpoint, direct: Any) -> None:
        self.endpoint = endpoint
        self.dsn = endpoint.dsn()
        self.connection = direct
        """The connection through which tests query and change the database."""
        self.instance = uuid7()

    @asynccontextmanager
    async def replica(
        self,
        slot: int = 0,
        *,
        dsn: str | None = None,
        instance: UUID | None = None,
        counts: LogCounts = UNCOUNTED,
        **changed: Any,
    ) -> AsyncGenerator[RunLog]:
        """A replica with all its loops."""
        worker = WorkerSlot(instance or self.instance, slot, 9)
        settings = msgspec.structs.replace(SETTINGS, **changed)
        async with RunLog.open(dsn or self.dsn, worker, settings, counts) as log:
            yield log

    @asynccontextmanager
    async def manual_replica(
        self,
        slot: int = 8,
        *,
        dsn: str | None = None,
        counts: LogCounts = UNCOUNTED,
        **changed: Any,
    ) -> AsyncGenerator[RunLog]:
        """A registered replica whose loops do not run: tests flush, poll and reap by calls."""
        settings = msgspec.structs.replace(SETTINGS, **changed)
        async with ConnectionPool.open(
            dsn or self.dsn, settings.timeouts, size=4, wait_s=5
        ) as pool:
            log = RunLog(dsn or self.dsn, pool, WorkerSlot(uuid7(), slot, 9), settings, counts)
            await log._replica.register()
            try:
                yield log
            finally:
                for connection in log._connections:
                    connection.interrupt()

    async def rows(self, query: str, *arguments: object) -> list[dict[str, Any]]:
        return [dict(row) for row in await self.connection.fetch(query, *arguments)]

    async def value(self, query: str, *arguments: object) -> Any:
        return await self.connection.fetchval(query, *arguments)

    async def status(self, run_id: RunId) -> str:
        return await self.value("SELECT status FROM runs WHERE id = $1", run_id)

    async def events(self, run_id: RunId) -> list[tuple[int, Event]]:
        """The events of a run in the database, in order, with their numbers."""
        rows = await self.rows(
            "SELECT seq, data FROM run_events WHERE run_id = $1 ORDER BY seq", run_id
        )
        return [(row["seq"], msgspec.json.decode(row["data"], type=Event)) for row in rows]

    async def text(self, run_id: RunId) -> str:
        """The answer text of a run in the database."""
        events = await self.events(run_id)
        return "".join(event.text for _, event in events if isinstance(event, TextAppended))

    async def expire(self, log: RunLog) -> None:
        """Let the lease of a replica expire now."""
        await self.connection.execute(
            "UPDATE replicas SET expires_at = clock_timestamp() - interval '1 s' WHERE id = $1",
            log._replica.lease.id,
        )

    @asynccontextmanager
    async def session(self) -> AsyncGenerator[Any]:
        """Another database session, for transaction locks."""
        connection: Any = await asyncpg.connect(self.dsn)
        try:
            yield connection
        finally:
            await connection.close()


def admission(text: str = "Hello", **values: Any) -> Admission:
    """An admission of a message; by default in a new conversation."""
    given: dict[str, Any] = {
        "owner_id": "ann",
        "surface": "native",
        "input": RunInput(agent="assistant", provider="p", model="m"),
        "title": "Hello",
        **values,
    }
    if "answer_to" not in given and "new_message" not in given:
        given["new_message"] = NewMessage(message=user_message(text))
    return Admission(**given)


def user_message(text: str) -> Message:
    return Message(Role.USER, (Text(text),))


def pool_is_idle(log: RunLog) -> bool:
    """Whether none of the pooled connections of a replica is in use."""
    pool: Any = log.queue._pool._pool
    return pool.get_idle_size() == pool.get_size()


async def admit_with_retries(log: RunLog, **values: Any) -> Admitted:
    """Admit as a caller that retries while the service is unavailable."""
    while True:
        try:
            return await log.admission.admit(admission(**values))
        except Unavailable:
            await asyncio.sleep(0.02)


async def insert_conversation(cluster: Cluster, **values: Any) -> ConversationId:
    """Insert an empty conversation."""
    conversation = ConversationId(uuid7())
    given: dict[str, Any] = {"id": conversation, "owner_id": "ann", "title": "t", **values}
    names, places = ", ".join(given), ", ".join(f"${n}" for n in range(1, len(given) + 1))
    await cluster.connection.execute(
        f"INSERT INTO conversations ({names}) VALUES ({places})", *given.values()
    )
    return conversation


async def insert_message(
    session: Any, conversation: ConversationId, text: str, parent: MessageId | None, depth: int
) -> MessageId:
    """Insert an assistant message at a place in the tree."""
    message = MessageId(uuid7())
    await session.execute(
        "INSERT INTO messages (id, owner_id, conversation_id, parent_id, depth, role, parts)"
        " VALUES ($1, 'ann', $2, $3, $4, 'assistant',"
        " jsonb_build_array(jsonb_build_object('type', 'text', 'text', $5::text)))",
        message,
        conversation,
        parent,
        depth,
        text,
    )
    return message


@asynccontextmanager
async def block_flushes(cluster: Cluster) -> AsyncGenerator[Any]:
    """All flushes wait while this is open, because it locks the replicas as a reaper does."""
    async with cluster.session() as other:
        transaction = other.transaction()
        await transaction.start()
        await other.execute("SELECT 1 FROM replicas FOR UPDATE")
        yield other
        await transaction.rollback()


async def has_lock_waits(cluster: Cluster) -> bool:
    """Whether any database session waits for a lock."""
    return await cluster.value("SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted)")

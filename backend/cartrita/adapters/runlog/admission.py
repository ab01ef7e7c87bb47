"""Admission: stores a message, its run and its idempotency key, and starts the run if it can."""

from typing import cast

import asyncpg
import msgspec
import structlog

from cartrita.adapters.runlog.cancellation import request_cancel
from cartrita.adapters.runlog.connection import RACE_ERRORS, Connection, ConnectionPool
from cartrita.adapters.runlog.encoding import dump
from cartrita.adapters.runlog.idempotency import IdempotencyRecords
from cartrita.adapters.runlog.new_messages import DEPTH_PENDING, insert_messages
from cartrita.adapters.runlog.queue import Queue
from cartrita.adapters.runlog.replica import Replica, fence
from cartrita.adapters.runlog.starting import StartedRun, start_run
from cartrita.domain.errors import (
    Conflict,
    IdempotencyMismatch,
    InvalidInput,
    LeaseLost,
    NotFound,
    RateLimited,
    Unavailable,
)
from cartrita.domain.ids import ConversationId, MessageId, RunId
from cartrita.domain.ports.runs import EndListener
from cartrita.domain.runs import Admission, Admitted, BusyPolicy, Idempotency, RunStatus
from cartrita.kit.ids import uuid7

log = structlog.get_logger(__name__)

_NEW_CONVERSATION = """
INSERT INTO conversations (id, owner_id, title, external_id) VALUES ($1, $2, $3, $4)
ON CONFLICT (owner_id, external_id) DO NOTHING RETURNING id
"""
_LOCK_CONVERSATION = """
SELECT head_message_id FROM conversations
WHERE id = $1 AND owner_id = $2 AND deleted_at IS NULL FOR NO KEY UPDATE
"""
_TITLE = "UPDATE conversations SET title = $2 WHERE id = $1 AND title = $3"
_UNFINISHED = """
SELECT id FROM runs
WHERE conversation_id = $1 AND status IN ('queued', 'running', 'waiting') ORDER BY queue_no
"""
_DEPTH = "SELECT depth FROM messages WHERE id = $1 AND conversation_id = $2 AND owner_id = $3"
_NEW_RUN = """
INSERT INTO runs (owner_id, conversation_id, user_message_id, message_id, surface, agent, provider,
                  model, input, status, client_msg_id, deadline_at, answers_again)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'queued', $10, now() + $11 * interval '1 second', $12)
RETURNING id
"""

_TRIES = 3
_QUEUE_FULL_S = 5.0
_UNSTORABLE_ERRORS = (
    asyncpg.DataError,
    asyncpg.ProgramLimitExceededError,
    UnicodeError,
    RecursionError,
)


class AdmissionLimits(msgspec.Struct, frozen=True):
    """Duration of a run, queued runs per conversation, lifetime of idempotency keys."""

    run_timeout_s: float
    queue_max: int
    idempotency_ttl_s: float


class Admissions:
    """Implements RunAdmission and EarlierRequests."""

    def __init__(
        self,
        pool: ConnectionPool,
        replica: Replica,
        queue: Queue,
        limits: AdmissionLimits,
        told: EndListener,
    ) -> None:
        self._pool = pool
        self._replica = replica
        self._queue = queue
        self._limits = limits
        self._told = told
        self._idempotency = IdempotencyRecords(ttl_s=limits.idempotency_ttl_s)

    async def admit(self, admission: Admission) -> Admitted:
        """See RunAdmission. A unique index decides races for one key or client_msg_id."""
        for _ in range(_TRIES):
            try:
                return await self._find(admission) or await self._admit(admission)
            except RACE_ERRORS as error:
                log.info("admission_raced", error=type(error).__name__)
            except IdempotencyMismatch:
                raise
            except Conflict:
                # The run that keeps the conversation busy may belong to this same request.
                found = await self._find(admission)
                if found is None:
                    raise
                return found
            except _UNSTORABLE_ERRORS as error:
                raise InvalidInput.of(
                    "request", "it holds text that cannot be stored, or is nested too deeply"
                ) from error
        raise Unavailable("Too much happened at once; try again in a moment.", retry_after=1)

    async def earlier(
        self, owner_id: str, idempotency: Idempotency | None, client_msg_id: str | None
    ) -> Admitted | None:
        """See EarlierRequests."""
        async with self._pool.acquire() as connection:
            return await self._idempotency.earlier(connection, owner_id, idempotency, client_msg_id)

    async def bind(self, owner_id: str, idempotency: Idempotency, run_id: RunId) -> None:
        """See EarlierRequests."""
        async with self._pool.acquire() as connection:
            await self._idempotency.bind(connection, owner_id, idempotency, run_id)

    async def _admit(self, admission: Admission) -> Admitted:
        async with self._pool.acquire() as connection:
            async with connection.transaction():
                conversation_id = await self._conversation(connection, admission)
                busy = await self._apply_busy_policy(connection, admission, conversation_id)
                user_message_id = await self._message(connection, admission, conversation_id)
                run_id = await self._run(connection, admission, conversation_id, user_message_id)
                if admission.idempotency is not None:
                    await self._idempotency.store_key(
                        connection, admission.owner_id, admission.idempotency, run_id
                    )
                started = None
                if not busy and (admission.last_words or not self._queue.closed):
                    started = await self._start(connection, run_id)
                if started is None:
                    await connection.execute("NOTIFY cartrita_queue")
            if started is not None:
                self._queue.add(started)
        status = RunStatus.QUEUED if started is None else RunStatus.RUNNING
        return Admitted(run_id, conversation_id, status, created=True)

    async def _start(self, connection: Connection, run_id: RunId) -> StartedRun | None:
        """Start the run on this replica; None without a lease, which leaves it to others."""
        try:
            lease = self._replica.lease
            await fence(connection, lease)
        except LeaseLost:
            return None
        return await start_run(connection, run_id, lease)

    async def _find(self, admission: Admission) -> Admitted | None:
        async with self._pool.acquire() as connection:
            return await self._idempotency.find(connection, admission)

    async def _conversation(self, connection: Connection, admission: Admission) -> ConversationId:
        """Lock the conversation, which serialises admissions to it, or create it."""
        if admission.conversation_id is None:
            new = ConversationId(uuid7())
            values = (new, admission.owner_id, admission.title, admission.external_id)
            if await connection.fetchval(_NEW_CONVERSATION, *values) is None:
                raise Conflict(
                    "You have a conversation with this id already.", code="conversation_exists"
                )
            return new
        found = await connection.fetchrow(
            _LOCK_CONVERSATION, admission.conversation_id, admission.owner_id
        )
        if found is None:
            raise NotFound.of("conversation")
        if admission.untitled is not None:
            await connection.execute(
                _TITLE, admission.conversation_id, admission.title, admission.untitled
            )
        return admission.conversation_id

    async def _apply_busy_policy(
        self, connection: Connection, admission: Admission, conversation_id: ConversationId
    ) -> bool:
        """Whether the conversation has unfinished runs. Raises Conflict and RateLimited."""
        if admission.conversation_id is None:
            return False
        rows = await connection.fetch(_UNFINISHED, conversation_id)
        if not rows:
            return False
        if admission.busy is BusyPolicy.REJECT:
            raise Conflict(
                "An answer is still being written in this conversation; wait for it or cancel it.",
                code="conversation_busy",
            )
        if admission.busy is BusyPolicy.INTERRUPT:
            for row in rows:
                run_id = RunId(row["id"])
                if ended := await request_cancel(connection, admission.owner_id, run_id):
                    self._told(*ended)
        elif len(rows) > self._limits.queue_max:
            raise RateLimited(
                f"{self._limits.queue_max} messages wait in this conversation already; "
                "try again when some are answered.",
                code="conversation_queue_full",
                retry_after=_QUEUE_FULL_S,
            )
        return True

    async def _message(
        self, connection: Connection, admission: Admission, conversation_id: ConversationId
    ) -> MessageId:
        new = admission.new_message
        if new is None:
            answered = cast("MessageId", admission.answer_to)
            await self._depth(connection, admission, conversation_id, answered)
            return answered
        depth = DEPTH_PENDING
        if new.at_root:
            depth = 0
        elif new.parent_id is not None:
            depth = await self._depth(connection, admission, conversation_id, new.parent_id) + 1
        return await insert_messages(connection, admission.owner_id, conversation_id, new, depth)

    async def _depth(
        self,
        connection: Connection,
        admission: Admission,
        conversation_id: ConversationId,
        message_id: MessageId,
    ) -> int:
        depth: int | None = await connection.fetchval(
            _DEPTH, message_id, conversation_id, admission.owner_id
        )
        if depth is None:
            raise NotFound.of("message")
        return depth

    async def _run(
        self,
        connection: Connection,
        admission: Admission,
        conversation_id: ConversationId,
        user_message_id: MessageId,
    ) -> RunId:
        run_id: RunId = await connection.fetchval(
            _NEW_RUN,
            admission.owner_id,
            conversation_id,
            user_message_id,
            uuid7(),
            admission.surface,
            admission.input.agent,
            admission.input.provider,
            admission.input.model,
            dump(admission.input),
            admission.client_msg_id,
            self._limits.run_timeout_s,
            admission.new_message is None,
        )
        return run_id

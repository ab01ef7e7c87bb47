"""Rows for tests of what reads and deletes them: conversations, messages, runs with their logs."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from cartrita.adapters.persistence.conversations import ConversationTable
from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.messages import MessageTree
from cartrita.domain.conversations import Conversation
from cartrita.domain.ids import ConversationId, MessageId
from cartrita.domain.messages import Message, MessageStatus, Role, StoredMessage, Text
from cartrita.kit.ids import uuid7

ANN, BOB = "ann", "bob"
BEGIN = datetime(2026, 11, 21, tzinfo=UTC)


def a_conversation(owner_id: str = ANN, **values: Any) -> Conversation:
    """A value with an id of its own."""
    given: dict[str, Any] = {"title": "Untold", "created_at": BEGIN, "updated_at": BEGIN, **values}
    return Conversation(id=ConversationId(uuid7()), owner_id=owner_id, **given)


def a_message(
    conversation: Conversation, text: str, parent: StoredMessage | None = None, **values: Any
) -> StoredMessage:
    """One that follows its parent; questions and answers alternate."""
    depth = 0 if parent is None else parent.depth + 1
    given: dict[str, Any] = {
        "message": Message(Role.USER if depth % 2 == 0 else Role.ASSISTANT, (Text(text),)),
        "status": MessageStatus.COMPLETE,
        "created_at": BEGIN + timedelta(seconds=depth),
        **values,
    }
    return StoredMessage(
        id=MessageId(uuid7()),
        conversation_id=conversation.id,
        parent_id=None if parent is None else parent.id,
        depth=depth,
        external_id=conversation.external_id,
        **given,
    )


async def stored_conversation(
    database: Database, owner_id: str = ANN, **values: Any
) -> Conversation:
    conversation = a_conversation(owner_id, **values)
    await ConversationTable(database).create(conversation)
    return conversation


async def stored_branch(
    database: Database,
    conversation: Conversation,
    *texts: str,
    parent: StoredMessage | None = None,
) -> list[StoredMessage]:
    """Messages one after the other; the last one becomes the head."""
    branch: list[StoredMessage] = []
    for text in texts:
        parent = a_message(conversation, text, parent)
        await MessageTree(database).add(parent, conversation.owner_id)
        branch.append(parent)
    return branch


async def long_branch(dsn: str, conversation: Conversation, length: int) -> MessageId:
    """So many messages in one statement; returns the head."""
    head: UUID = await _value(
        dsn,
        """
        WITH ids AS MATERIALIZED (
          SELECT n, cartrita_uuid7() AS id FROM generate_series(0, $3::int - 1) n
        ), made AS (
          INSERT INTO messages (id, owner_id, conversation_id, parent_id, depth, role, parts)
          SELECT i.id, $1, $2, p.id, i.n, CASE WHEN i.n % 2 = 0 THEN 'user' ELSE 'assistant' END,
                 jsonb_build_array(jsonb_build_object('type', 'text', 'text', 'number ' || i.n))
          FROM ids i LEFT JOIN ids p ON p.n = i.n - 1
        )
        UPDATE conversations SET head_message_id = (SELECT id FROM ids ORDER BY n DESC LIMIT 1)
        WHERE id = $2 RETURNING head_message_id
        """,
        conversation.owner_id,
        conversation.id,
        length,
    )
    return MessageId(head)


async def stored_run(
    dsn: str,
    conversation: Conversation,
    question: UUID,
    answer: UUID | None = None,
    *,
    status: str = "completed",
    client_msg_id: str | None = None,
    ended_ago: timedelta = timedelta(0),
) -> UUID:
    """A run with three events, a folded log and an idempotency record."""
    run_id: UUID = await _value(
        dsn,
        """
        INSERT INTO runs (owner_id, conversation_id, user_message_id, message_id, surface, agent,
                          provider, model, input, status, client_msg_id, deadline_at, ended_at)
        VALUES ($1, $2, $3, $4, 'native', 'assistant', 'offline', 'assistant', '{}', $5, $6, now(),
                CASE WHEN $5 IN ('queued', 'running') THEN NULL ELSE now() - $7::interval END)
        RETURNING id
        """,
        conversation.owner_id,
        conversation.id,
        question,
        answer or uuid7(),
        status,
        client_msg_id,
        ended_ago,
    )
    for statement in (
        "INSERT INTO run_events (run_id, seq, data)"
        " SELECT $1, n, '{}' FROM generate_series(1, 3) AS n",
        "INSERT INTO run_logs (run_id, owner_id, items) SELECT id, owner_id, '[]' FROM runs"
        " WHERE id = $1",
        "INSERT INTO idempotency SELECT owner_id, 'chat', id::text, '', id, now() FROM runs"
        " WHERE id = $1",
    ):
        await _value(dsn, statement, run_id)
    return run_id


async def counted(dsn: str) -> dict[str, int]:
    """How many rows each table of a conversation's making holds."""
    names = ("conversations", "messages", "runs", "run_events", "run_logs", "idempotency")
    return {name: await _value(dsn, f"SELECT count(*) FROM {name}") for name in names}


async def execute(dsn: str, statement: str, *arguments: object) -> None:
    await _value(dsn, statement, *arguments)


async def _value(dsn: str, statement: str, *arguments: object) -> Any:
    connection: Any = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(statement, *arguments)
    finally:
        await connection.close()

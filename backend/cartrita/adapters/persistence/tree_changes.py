"""What transactions that change a conversation's message tree have in common."""

from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CollectionAggregate,
    ColumnElement,
    Uuid,
    any_,
    delete,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from cartrita.adapters.persistence.conversations import owned
from cartrita.adapters.persistence.tables.conversations import conversations
from cartrita.adapters.persistence.tables.runs import run_events, runs
from cartrita.domain.errors import Conflict, NotFound
from cartrita.domain.ids import ConversationId
from cartrita.domain.runs import RunStatus

_UNFINISHED = [status for status in RunStatus if not status.ended]


async def lock(connection: AsyncConnection, owner_id: str, conversation_id: ConversationId) -> None:
    """Admissions of runs take the same lock."""
    query = select(conversations.c.id).where(conversations.c.id == conversation_id, owned(owner_id))
    if (await connection.execute(query.with_for_update(key_share=True))).one_or_none() is None:
        raise NotFound.of("conversation")


async def require_idle(connection: AsyncConnection, conversation_id: ConversationId) -> None:
    query = select(runs.c.id).where(
        runs.c.conversation_id == conversation_id, runs.c.status.in_(_UNFINISHED)
    )
    if (await connection.execute(query.limit(1))).one_or_none() is not None:
        raise Conflict(
            "An answer is still being written in this conversation; wait for it or cancel it.",
            code="conversation_busy",
        )


async def delete_runs_of(
    connection: AsyncConnection,
    conversation_id: ConversationId,
    deleted: list[UUID],
) -> None:
    """The runs of these messages with their events; logs and idempotency records go with them."""
    query = select(runs.c.id).where(
        runs.c.conversation_id == conversation_id,
        or_(runs.c.user_message_id == any_of(deleted), runs.c.message_id == any_of(deleted)),
    )
    found = [row.id for row in await connection.execute(query)]
    await connection.execute(delete(run_events).where(run_events.c.run_id == any_of(found)))
    await connection.execute(delete(runs).where(runs.c.id == any_of(found)))


async def set_head(
    connection: AsyncConnection, conversation_id: ConversationId, head: ColumnElement[UUID]
) -> None:
    await connection.execute(
        update(conversations)
        .where(conversations.c.id == conversation_id)
        .values(head_message_id=head, updated_at=func.now())
    )


def any_of(identities: list[UUID]) -> CollectionAggregate[bool]:
    """One parameter for any number; IN needs one each and allows 32,767."""
    return any_(literal(identities, ARRAY(Uuid)))

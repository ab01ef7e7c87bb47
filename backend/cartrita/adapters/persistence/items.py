"""Messages found by the ids of items, added, and taken out of the middle: implements ItemStore."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Uuid,
    any_,
    case,
    delete,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from cartrita.adapters.persistence import branches
from cartrita.adapters.persistence.branches import in_tree
from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.messages import find_messages, message_row
from cartrita.adapters.persistence.tables.conversations import conversations, messages, summaries
from cartrita.adapters.persistence.tables.runs import runs
from cartrita.adapters.persistence.tree_changes import lock, require_idle, set_head
from cartrita.domain.ids import ConversationId, MessageId
from cartrita.domain.messages import Message, MessageStatus, StoredMessage
from cartrita.kit import clock
from cartrita.kit.ids import uuid7

_m = messages.c
_HEAD = conversations.c.head_message_id


class ItemTable:
    """Items of conversations; each change takes the lock that admissions take."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, owner_id: str, identities: Sequence[UUID]) -> list[StoredMessage]:
        """See ItemStore; without those whose conversation is hidden. It is one query."""
        wanted = literal(list(identities), ARRAY(Uuid))
        answers = select(runs.c.message_id).where(runs.c.id == any_(wanted))
        return await find_messages(
            self._database, owner_id, select(func.unnest(wanted)).union(answers)
        )

    async def append(
        self, owner_id: str, conversation_id: ConversationId, new: Sequence[Message]
    ) -> list[StoredMessage]:
        """Raises NotFound, and Conflict while something is being answered there."""
        async with self._database.transaction() as connection:
            await lock(connection, owner_id, conversation_id)
            await require_idle(connection, conversation_id)
            parent, depth = await _end(connection, conversation_id)
            stored: list[StoredMessage] = []
            for message in new:
                depth += 1
                added = _stored(message, conversation_id, parent, depth)
                await connection.execute(insert(messages).values(message_row(added, owner_id)))
                stored.append(added)
                parent = added.id
            if stored:
                await set_head(connection, conversation_id, literal(stored[-1].id))
        return stored

    async def remove(
        self, owner_id: str, conversation_id: ConversationId, message_id: MessageId
    ) -> bool:
        """Raises NotFound, and Conflict while something is being answered there."""
        async with self._database.transaction() as connection:
            await lock(connection, owner_id, conversation_id)
            await require_idle(connection, conversation_id)
            query = select(_m.parent_id).where(
                _m.id == message_id, _m.conversation_id == conversation_id, in_tree(owner_id)
            )
            row = (await connection.execute(query)).one_or_none()
            if row is None:
                return False
            await _forget_summaries(connection, owner_id, message_id)
            await _lift(connection, owner_id, message_id)
            parent: ColumnElement[UUID] = literal(row.parent_id, Uuid)
            below = update(messages).where(_m.parent_id == message_id)
            await connection.execute(below.values(parent_id=parent))
            await connection.execute(delete(messages).where(_m.id == message_id))
            head = case((_HEAD.in_([message_id]), parent), else_=_HEAD)
            await set_head(connection, conversation_id, head)
        return True


async def _end(
    connection: AsyncConnection, conversation_id: ConversationId
) -> tuple[MessageId | None, int]:
    """The head of a conversation and its depth; -1 without one."""
    query = (
        select(_m.id, _m.depth)
        .join(conversations, _m.id == _HEAD)
        .where(conversations.c.id == conversation_id)
    )
    row = (await connection.execute(query)).one_or_none()
    return (None, -1) if row is None else (MessageId(row.id), row.depth)


async def _forget_summaries(
    connection: AsyncConnection, owner_id: str, message_id: MessageId
) -> None:
    """Those that tell of a message: its own, and those of what follows it."""
    tree = branches.below(owner_id, message_id)
    await connection.execute(delete(summaries).where(summaries.c.message_id.in_(select(tree.c.id))))


async def _lift(connection: AsyncConnection, owner_id: str, message_id: MessageId) -> None:
    """Everything below a message comes one level nearer to the root."""
    tree = branches.below(owner_id, message_id)
    moved = update(messages).where(_m.id.in_(select(tree.c.id)), _m.id != message_id)
    await connection.execute(moved.values(depth=_m.depth - 1))


def _stored(
    message: Message, conversation_id: ConversationId, parent: MessageId | None, depth: int
) -> StoredMessage:
    return StoredMessage(
        id=MessageId(uuid7()),
        conversation_id=conversation_id,
        parent_id=parent,
        depth=depth,
        message=message,
        status=MessageStatus.COMPLETE,
        created_at=clock.now(),
    )

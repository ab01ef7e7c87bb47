"""Messages of conversations: implements MessageStore."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Insert,
    RowMapping,
    Uuid,
    case,
    delete,
    exists,
    func,
    insert,
    literal,
    null,
    select,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from cartrita.adapters.persistence import branches
from cartrita.adapters.persistence.branches import in_tree
from cartrita.adapters.persistence.conversations import Changes, owned, to_row
from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.tables.conversations import conversations, messages
from cartrita.adapters.persistence.tree_changes import (
    any_of,
    delete_runs_of,
    lock,
    require_idle,
    set_head,
)
from cartrita.domain.conversations import Conversation
from cartrita.domain.errors import NotFound
from cartrita.domain.ids import MessageId
from cartrita.domain.json import JsonObject
from cartrita.domain.messages import Message, MessageStatus, Part, Role, StoredMessage
from cartrita.domain.usage import Usage
from cartrita.kit.ids import uuid7

_parts = msgspec.json.Decoder(tuple[Part, ...])
_usage = msgspec.json.Decoder(Usage)
_metadata = msgspec.json.Decoder(JsonObject)
_m = messages.c
_COLUMNS = (
    _m.id,
    _m.conversation_id,
    _m.parent_id,
    _m.depth,
    _m.role,
    _m.parts,
    _m.status,
    _m.created_at,
    _m.run_id,
    _m.model,
    _m.provider,
    _m.usage,
    _m.edited,
    _m.metadata,
    select(conversations.c.external_id)
    .where(conversations.c.id == _m.conversation_id)
    .scalar_subquery()
    .label("external_id"),
)


class MessageTree:
    """Messages in the tree; those of queued runs are not in it yet."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, owner_id: str, message_id: MessageId) -> StoredMessage | None:
        """None also where its conversation is hidden."""
        found = await find_messages(self._database, owner_id, (message_id,))
        return found[0] if found else None

    async def branch(
        self, owner_id: str, tip: MessageId, limit: int, below_depth: int | None = None
    ) -> list[StoredMessage]:
        """See MessageStore; empty where there is no such tip."""
        page = branches.page(owner_id, tip, limit, below_depth)
        query = select(*_COLUMNS).join(page, _m.id == page.c.id).order_by(page.c.depth.desc())
        async with self._database.use() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [_to_message(row) for row in rows]

    async def add(self, message: StoredMessage, owner_id: str) -> None:
        """Raises NotFound where the conversation or the parent is not this owner's."""
        async with self._database.transaction() as connection:
            await lock(connection, owner_id, message.conversation_id)
            if not await _parent_matches(connection, owner_id, message):
                raise NotFound.of("message")
            await connection.execute(insert(messages).values(message_row(message, owner_id)))
            await set_head(connection, message.conversation_id, literal(message.id))

    async def delete(self, owner_id: str, message_id: MessageId) -> bool:
        """Raises Conflict while something is being answered in its conversation."""
        message = await self.get(owner_id, message_id)
        if message is None:
            return False
        async with self._database.transaction() as connection:
            await lock(connection, owner_id, message.conversation_id)
            await require_idle(connection, message.conversation_id)
            tree = branches.below(owner_id, message_id)
            found = [row.id for row in await connection.execute(select(tree.c.id))]
            await delete_runs_of(connection, message.conversation_id, found)
            await connection.execute(delete(messages).where(_m.id == any_of(found)))
            head = conversations.c.head_message_id
            kept = case((head == any_of(found), literal(message.parent_id, Uuid)), else_=head)
            await set_head(connection, message.conversation_id, kept)
        return bool(found)

    async def copy(self, owner_id: str, branch_tip: MessageId, into: Conversation) -> Conversation:
        """Copy a branch: new ids, everything else the same; the copies belong to no run.

        Raises NotFound where there is no such tip.
        """
        copy = msgspec.structs.replace(into, head_message_id=MessageId(uuid7()))
        async with self._database.transaction() as connection:
            await connection.execute(insert(conversations).values(to_row(copy)))
            copied = await connection.execute(_copy_statement(owner_id, branch_tip, copy))
            if not copied.rowcount:
                raise NotFound.of("message")
        return copy


async def find_messages(
    database: Database, owner_id: str, wanted: Sequence[UUID] | CompoundSelect[tuple[UUID]]
) -> list[StoredMessage]:
    """The messages of these ids, in no order; without those whose conversation is hidden."""
    shown = exists().where(conversations.c.id == _m.conversation_id, owned(owner_id))
    query = select(*_COLUMNS).where(_m.id.in_(wanted), in_tree(owner_id), shown)
    async with database.use() as connection:
        rows = (await connection.execute(query)).mappings().all()
    return [_to_message(row) for row in rows]


async def _parent_matches(
    connection: AsyncConnection, owner_id: str, message: StoredMessage
) -> bool:
    """Whether its parent is in the same conversation, one level above."""
    if message.parent_id is None:
        return message.depth == 0
    query = select(_m.id).where(
        _m.id == message.parent_id,
        in_tree(owner_id),
        _m.conversation_id == message.conversation_id,
        _m.depth == message.depth - 1,
    )
    return (await connection.execute(query)).one_or_none() is not None


def _copy_statement(owner_id: str, tip: MessageId, into: Conversation) -> Insert:
    """One INSERT for the whole branch, whatever its length."""
    old = branches.path(owner_id, tip)
    fresh_id = case((old.c.id == tip, literal(into.head_message_id)), else_=func.cartrita_uuid7())
    fresh = select(old.c.id, old.c.parent_id, fresh_id.label("fresh"))
    fresh = fresh.cte("fresh").prefix_with("MATERIALIZED")
    parent = fresh.alias("fresh_parent")
    changed: dict[str, ColumnElement[Any]] = {
        "id": fresh.c.fresh,
        "conversation_id": literal(into.id),
        "parent_id": parent.c.fresh,
        "run_id": null(),
    }
    columns = [column for column in messages.columns if column.name != "search"]
    source = (
        select(*[changed.get(column.name, column) for column in columns])
        .join(fresh, fresh.c.id == _m.id)
        .join(parent, parent.c.id == fresh.c.parent_id, isouter=True)
    )
    return insert(messages).from_select(columns, source)


def message_row(message: StoredMessage, owner_id: str) -> Changes:
    values: Changes = msgspec.structs.asdict(message) | {
        "owner_id": owner_id,
        "role": message.message.role,
        "parts": message.message.parts,
        "usage": null() if message.usage is None else message.usage,
    }
    del values["message"], values["external_id"]
    return values


def _to_message(row: RowMapping) -> StoredMessage:
    values: Changes = dict(row)
    parts = _parts.decode(values.pop("parts"))
    usage = values.pop("usage")
    return StoredMessage(
        message=Message(Role(values.pop("role")), parts),
        status=MessageStatus(values.pop("status")),
        usage=None if usage is None else _usage.decode(usage),
        metadata=_metadata.decode(values.pop("metadata")),
        **values,
    )

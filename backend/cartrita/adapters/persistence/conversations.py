"""Conversations: implements ConversationStore."""

from datetime import UTC, datetime
from typing import Any, TypeAlias
from uuid import UUID

import msgspec
from sqlalchemy import (
    ColumnElement,
    RowMapping,
    and_,
    any_,
    func,
    insert,
    literal,
    select,
    tuple_,
    update,
)
from sqlalchemy.exc import IntegrityError

from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.tables.conversations import conversations
from cartrita.domain.conversations import Conversation, ConversationChange, ConversationFilter
from cartrita.domain.errors import Conflict, InvalidInput
from cartrita.domain.ids import ConversationId
from cartrita.domain.json import JsonObject
from cartrita.kit import ids, pagination
from cartrita.kit.pagination import Page
from cartrita.kit.text import storable_text

Changes: TypeAlias = dict[str, Any]
"""Column values as SQLAlchemy takes them."""

_metadata = msgspec.json.Decoder(JsonObject)
_c = conversations.c
COLUMNS = (
    _c.id,
    _c.owner_id,
    _c.external_id,
    _c.title,
    _c.head_message_id,
    _c.archived,
    _c.pinned,
    _c.tags,
    _c.metadata,
    _c.created_at,
    _c.updated_at,
)


class ConversationTable:
    """Conversations of owners, without the deleted (hidden) ones."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, conversation: Conversation) -> None:
        """Raises Conflict where the caller's own id is taken."""
        async with self._database.use() as connection:
            try:
                await connection.execute(insert(conversations).values(to_row(conversation)))
            except IntegrityError:
                raise Conflict(
                    "You have a conversation with this id already.", code="conversation_exists"
                ) from None

    async def find(self, owner_id: str, public_id: str) -> Conversation | None:
        """By id, else by the caller's own id."""
        if storable_text(public_id) != public_id:
            return None
        named = _c.external_id == public_id
        ours = ids.parse("conv", public_id)
        if ours is None:
            return await self._first(owned(owner_id), named)
        found = await self._first(owned(owner_id), _c.id == ours)
        return found or await self._first(owned(owner_id), named)

    async def list(
        self, owner_id: str, filter_: ConversationFilter, limit: int, cursor: str | None
    ) -> Page[Conversation]:
        """Raises InvalidInput where the cursor is none of ours."""
        order = (_c.pinned.desc(), _c.updated_at.desc(), _c.id.desc())
        query = select(*COLUMNS).where(owned(owner_id), *_conditions(filter_)).order_by(*order)
        if cursor is not None:
            query = query.where(tuple_(_c.pinned, _c.updated_at, _c.id) < tuple_(*_after(cursor)))
        async with self._database.use() as connection:
            rows = (await connection.execute(query.limit(limit + 1))).mappings().all()
        items = [to_conversation(row) for row in rows[:limit]]
        return Page(items, _cursor(items[-1]) if len(rows) > limit else None)

    async def change(
        self, owner_id: str, conversation_id: ConversationId, change: ConversationChange
    ) -> Conversation | None:
        """The changed conversation; an empty change leaves `updated_at` as it is."""
        values: Changes = {
            name: value
            for name, value in msgspec.structs.asdict(change).items()
            if value is not None
        }
        if not values:
            return await self._first(owned(owner_id), _c.id == conversation_id)
        statement = (
            update(conversations)
            .where(owned(owner_id), _c.id == conversation_id)
            .values(**values, updated_at=func.now())
            .returning(*COLUMNS)
        )
        async with self._database.use() as connection:
            row = (await connection.execute(statement)).mappings().one_or_none()
        return None if row is None else to_conversation(row)

    async def _first(self, *conditions: ColumnElement[bool]) -> Conversation | None:
        query = select(*COLUMNS).where(*conditions)
        async with self._database.use() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        return None if row is None else to_conversation(row)


def owned(owner_id: str) -> ColumnElement[bool]:
    """This owner's conversations that are not deleted."""
    return and_(_c.owner_id == owner_id, _c.deleted_at.is_(None))


def to_row(conversation: Conversation) -> Changes:
    """As INSERT takes it."""
    return msgspec.structs.asdict(conversation) | {"tags": list(conversation.tags)}


def to_conversation(row: RowMapping) -> Conversation:
    values: Changes = dict(row)
    values["tags"] = tuple(values["tags"])
    values["metadata"] = _metadata.decode(values["metadata"])
    return Conversation(**values)


def _conditions(filter_: ConversationFilter) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    if filter_.archived is not None:
        wanted.append(_c.archived.is_(filter_.archived))
    if filter_.pinned is not None:
        wanted.append(_c.pinned.is_(filter_.pinned))
    if filter_.tag is not None:
        wanted.append(literal(filter_.tag) == any_(_c.tags))
    return wanted


def _cursor(last: Conversation) -> str:
    return pagination.encode_cursor(last.pinned, last.updated_at.isoformat(), last.id.hex)


def _after(cursor: str) -> tuple[bool, datetime, UUID]:
    try:
        match pagination.decode_cursor(cursor):
            case [bool(pinned), str(moment), str(identity)]:
                # astimezone also raises for times outside Postgres' range.
                return pinned, datetime.fromisoformat(moment).astimezone(UTC), UUID(identity)
            case _:
                raise ValueError("another shape")
    except (ValueError, OverflowError):
        raise InvalidInput.of(
            "cursor", "this is not a cursor of this list; begin without one"
        ) from None

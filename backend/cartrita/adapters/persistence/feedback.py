"""Feedback in the database: implements FeedbackStore."""

import msgspec
from sqlalchemy import delete, literal, select
from sqlalchemy.dialects.postgresql import insert

from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.tables.conversations import feedback as table
from cartrita.adapters.persistence.tables.conversations import messages
from cartrita.domain.errors import NotFound
from cartrita.domain.feedback import Feedback
from cartrita.domain.ids import MessageId

_f = table.c
_COLUMNS = (_f.message_id, _f.run_id, _f.score, _f.comment, _f.given_at)


class FeedbackTable:
    """Feedback on the answers of an owner."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, owner_id: str, feedback: Feedback) -> None:
        """See FeedbackStore."""
        values = (feedback.score, feedback.comment, feedback.given_at)
        statement = insert(table).from_select(
            ["message_id", "owner_id", "run_id", "score", "comment", "given_at"],
            select(
                messages.c.id,
                messages.c.owner_id,
                messages.c.run_id,
                *(
                    literal(value, column.type)
                    for value, column in zip(values, _VALUES, strict=True)
                ),
            ).where(messages.c.id == feedback.message_id, messages.c.owner_id == owner_id),
        )
        changed = {column.name: statement.excluded[column.name] for column in _VALUES}
        statement = statement.on_conflict_do_update(index_elements=[_f.message_id], set_=changed)
        async with self._database.transaction() as connection:
            stored = await connection.execute(statement)
        if not stored.rowcount:
            raise NotFound.of("message")

    async def get(self, owner_id: str, message_id: MessageId) -> Feedback | None:
        """See FeedbackStore."""
        query = select(*_COLUMNS).where(_f.message_id == message_id, _f.owner_id == owner_id)
        async with self._database.use() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        return None if row is None else msgspec.convert(row, Feedback)

    async def delete(self, owner_id: str, message_id: MessageId) -> bool:
        """See FeedbackStore."""
        statement = delete(table).where(_f.message_id == message_id, _f.owner_id == owner_id)
        async with self._database.transaction() as connection:
            return bool((await connection.execute(statement)).rowcount)


_VALUES = (_f.score, _f.comment, _f.given_at)

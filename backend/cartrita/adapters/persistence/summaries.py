"""Summaries in the database: implements SummaryStore."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.tables.conversations import summaries
from cartrita.adapters.persistence.tree_changes import any_of
from cartrita.domain.ids import MessageId
from cartrita.domain.summaries import Summary

_s = summaries.c


class Summaries:
    """Summaries of the messages of an owner."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def first(self, owner_id: str, messages: Sequence[MessageId]) -> Summary | None:
        """See SummaryStore."""
        query = select(_s.message_id, _s.text, _s.model).where(
            _s.message_id == any_of([*messages]), _s.owner_id == owner_id
        )
        async with self._database.use() as connection:
            rows = (await connection.execute(query)).all()
        found = {
            row.message_id: Summary(message_id=row.message_id, text=row.text, model=row.model)
            for row in rows
        }
        return next((found[one] for one in messages if one in found), None)

    async def put(self, owner_id: str, summary: Summary) -> Summary:
        """See SummaryStore."""
        statement = insert(summaries).values(
            message_id=summary.message_id,
            owner_id=owner_id,
            text=summary.text,
            model=summary.model,
            created_at=func.now(),
        )
        async with self._database.transaction() as connection:
            await connection.execute(statement.on_conflict_do_nothing())
        return await self.first(owner_id, (summary.message_id,)) or summary

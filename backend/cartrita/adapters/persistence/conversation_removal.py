"""Permanent deletion of conversations: implements ConversationRemoval."""

from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, delete, exists, func, literal, null, select, update

from cartrita.adapters.persistence.conversations import owned
from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.tables.conversations import conversations, messages
from cartrita.adapters.persistence.tables.desktops import desktop_sessions
from cartrita.adapters.persistence.tables.files import attachments
from cartrita.adapters.persistence.tables.runs import run_events, runs
from cartrita.domain.desktop_films import SCREENSHOT
from cartrita.domain.ids import ConversationId
from cartrita.domain.runs import RunStatus

_ENDED = [status for status in RunStatus if status.ended]
_c = conversations.c


class ConversationRemover:
    """A conversation is hidden first, and deleted when its runs and its desktop have ended.

    That is done `batch` rows at a time; pictures of its desktops go with the next sweep of files.

    A long conversation takes several transactions; an interrupted deletion goes on at the next
    call, on any replica.
    """

    def __init__(self, database: Database, *, batch: int = 500) -> None:
        self._database = database
        self._batch = batch

    async def hide(self, owner_id: str, conversation_id: ConversationId) -> bool:
        """Mark it as deleted; the caller's own id can be used again at once."""
        statement = (
            update(conversations)
            .where(owned(owner_id), _c.id == conversation_id)
            .values(deleted_at=func.now(), external_id=null())
        )
        async with self._database.use() as connection:
            return bool((await connection.execute(statement)).rowcount)

    async def purge(self, only: ConversationId | None = None) -> int:
        """See ConversationRemoval. Messages, events, logs and search entries go too."""
        busy = exists().where(runs.c.conversation_id == _c.id, runs.c.status.not_in(_ENDED))
        used = exists().where(
            desktop_sessions.c.conversation_id == _c.id, desktop_sessions.c.ended_at.is_(None)
        )
        over = select(_c.id).where(_c.deleted_at.is_not(None), ~busy, ~used)
        query = over.order_by(_c.deleted_at)
        if only is not None:
            query = query.where(_c.id == only)
        purged = 0
        while True:
            async with self._database.use() as connection:
                found = [row.id for row in await connection.execute(query.limit(self._batch))]
            gone = 0
            for conversation_id in found:
                gone += await self._purge(conversation_id)
            purged += gone
            if len(found) < self._batch or not gone:
                return purged

    async def _purge(self, conversation_id: UUID) -> int:
        """1 where this call deleted it; 0 where another replica was first."""
        while await self._delete_runs(conversation_id):
            pass
        while await self._delete_messages(conversation_id):
            pass
        pictures = update(attachments).where(
            attachments.c.conversation_id == conversation_id, attachments.c.purpose == SCREENSHOT
        )
        async with self._database.use() as connection:
            await connection.execute(pictures.values(expires_at=func.now()))
            done = await connection.execute(delete(conversations).where(_c.id == conversation_id))
        return done.rowcount

    async def _delete_runs(self, conversation_id: UUID) -> int:
        """Logs and idempotency records go with their runs; events have no foreign key."""
        query = select(runs.c.id).where(
            runs.c.conversation_id == conversation_id, runs.c.status.in_(_ENDED)
        )
        async with self._database.transaction() as connection:
            rows = await connection.execute(query.limit(self._batch).with_for_update())
            found = [row.id for row in rows]
            deleted = any_(literal(found, ARRAY(Uuid)))
            await connection.execute(delete(run_events).where(run_events.c.run_id == deleted))
            await connection.execute(delete(runs).where(runs.c.id == deleted))
        return len(found)

    async def _delete_messages(self, conversation_id: UUID) -> int:
        """The deepest first: the cascade from parent to child would nest as deep as the tree."""
        deleted = (
            select(messages.c.id)
            .where(messages.c.conversation_id == conversation_id)
            .order_by(messages.c.depth.desc())
            .limit(self._batch)
        )
        async with self._database.use() as connection:
            done = await connection.execute(delete(messages).where(messages.c.id.in_(deleted)))
        return done.rowcount

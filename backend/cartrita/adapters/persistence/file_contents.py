"""Contents whose bytes are to be removed: implements RemovedContents."""

from collections.abc import Collection

from sqlalchemy import delete, func, literal, select, update

from cartrita.adapters.persistence.attachments import AttachmentTable
from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.file_tables import attachments, file_contents
from cartrita.domain.attachments import AttachmentId, ContentId

_a, _f = attachments.c, file_contents.c
_AT_ONCE = 100


class ContentTable:
    """`arrival_s` is how long a content may be arriving, in seconds."""

    def __init__(self, database: Database, *, arrival_s: float) -> None:
        self._database = database
        self._files = AttachmentTable(database)
        self._arrival_s = arrival_s

    async def expire(self) -> int:
        """See RemovedContents."""
        over = select(_a.owner_id, _a.id).where(_a.expires_at <= func.now()).limit(_AT_ONCE)
        age = func.now() - _f.changed_at
        longest = func.make_interval(0, 0, 0, 0, 0, 0, literal(self._arrival_s))
        late = (
            update(file_contents)
            .where(_f.status == "arriving", age > longest)
            .values(status="removed", changed_at=func.now())
        )
        async with self._database.use() as connection:
            rows = (await connection.execute(over)).all()
            given_up = (await connection.execute(late)).rowcount
        for row in rows:
            await self._files.remove(row.owner_id, AttachmentId(row.id))
        return len(rows) + given_up

    async def removed(self, limit: int) -> list[ContentId]:
        """See RemovedContents."""
        query = select(_f.id).where(_f.status == "removed").order_by(_f.changed_at).limit(limit)
        async with self._database.use() as connection:
            return [ContentId(each) for each in (await connection.execute(query)).scalars()]

    async def forget(self, content_ids: Collection[ContentId]) -> None:
        """See RemovedContents."""
        for content_id in content_ids:
            gone = delete(file_contents).where(_f.id == content_id, _f.status == "removed")
            async with self._database.use() as connection:
                await connection.execute(gone)

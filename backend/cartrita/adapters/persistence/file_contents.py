"""Contents whose bytes are to be removed: implements RemovedContents."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Row, delete, func, literal, select, update

from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.files import FileTable
from cartrita.adapters.persistence.tables.files import attachments, file_contents
from cartrita.domain.files import ContentId, FileId

_a, _f = attachments.c, file_contents.c
_AT_ONCE = 100


class ContentTable:
    """`arrival_s` is how long a content may be arriving, in seconds."""

    def __init__(self, database: Database, *, arrival_s: float) -> None:
        self._database = database
        self._files = FileTable(database)
        self._arrival_s = arrival_s

    async def expire(self) -> int:
        """See RemovedContents."""
        age = func.now() - _f.changed_at
        longest = func.make_interval(0, 0, 0, 0, 0, 0, literal(self._arrival_s))
        late = (
            update(file_contents)
            .where(_f.status == "arriving", age > longest)
            .values(status="removed", changed_at=func.now())
        )
        async with self._database.use() as connection:
            total = (await connection.execute(late)).rowcount
        while rows := await self._over():
            for row in rows:
                await self._files.remove(row.owner_id, FileId(row.id))
            total += len(rows)
        return total

    async def _over(self) -> Sequence[Row[str, UUID]]:
        """Some of the files whose time is over."""
        over = select(_a.owner_id, _a.id).where(_a.expires_at <= func.now()).limit(_AT_ONCE)
        async with self._database.use() as connection:
            return (await connection.execute(over)).all()

    async def removed(self, limit: int) -> list[ContentId]:
        """See RemovedContents."""
        some = func.random()  # lest those that cannot be removed keep the others from it
        query = select(_f.id).where(_f.status == "removed").order_by(some).limit(limit)
        async with self._database.use() as connection:
            return [ContentId(each) for each in (await connection.execute(query)).scalars()]

    async def forget(self, content_id: ContentId) -> None:
        """See RemovedContents."""
        gone = delete(file_contents).where(_f.id == content_id, _f.status == "removed")
        async with self._database.use() as connection:
            await connection.execute(gone)

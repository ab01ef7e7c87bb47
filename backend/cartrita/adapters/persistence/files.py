"""Files of owners: implements FileStore."""

from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, Select, case, delete, exists, func, or_, select, tuple_, update
from sqlalchemy.sql.dml import ReturningUpdate

from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.moment_cursors import place_of
from cartrita.adapters.persistence.owner_locks import lock_files_of
from cartrita.adapters.persistence.tables.conversations import conversations
from cartrita.adapters.persistence.tables.files import (
    attachments,
    file_contents,
    file_pages,
    passage_embeddings,
)
from cartrita.domain.desktop_films import SCREENSHOT
from cartrita.domain.files import (
    ContentId,
    FileFilter,
    FileId,
    FilePage,
    FileStatus,
    StoredFile,
)
from cartrita.domain.ids import ConversationId, public_conversation_id
from cartrita.kit.pagination import Page

_a, _f, _c, _p = attachments.c, file_contents.c, conversations.c, file_pages.c
_e = passage_embeddings.c
FILES = (
    select(
        _a.id,
        _a.owner_id,
        _a.content_id,
        _a.conversation_id,
        _a.name,
        _a.purpose,
        _a.created_at,
        _a.expires_at,
        _f.media_type,
        _f.size,
        _f.sha256,
        _f.status,
        _f.reason,
        _f.progress,
        _f.pages,
        _f.characters,
        _f.image_type,
        _f.image_size,
        _c.external_id,
    )
    .join(file_contents, _f.id == _a.content_id)
    .join(conversations, _c.id == _a.conversation_id, isouter=True)
    .where(or_(_a.expires_at.is_(None), _a.expires_at > func.now()))
)


class FileTable:
    """Files of owners, without those whose time is over.

    `embeddings_model` is the one whose progress with their passages is told.
    """

    def __init__(self, database: Database, embeddings_model: str | None = None) -> None:
        self._database = database
        self._files = FILES if embeddings_model is None else _indexed_by(embeddings_model)

    async def get(self, owner_id: str, file_id: FileId) -> StoredFile | None:
        query = self._files.where(_a.owner_id == owner_id, _a.id == file_id)
        async with self._database.use() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        return None if row is None else to_file(row)

    async def named(self, owner_id: str, name: str) -> StoredFile | None:
        """See FileStore."""
        query = (
            self._files.where(_a.owner_id == owner_id, func.lower(_a.name) == func.lower(name))
            .order_by(_a.created_at.desc(), _a.id.desc())
            .limit(1)
        )
        async with self._database.use() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        return None if row is None else to_file(row)

    async def pages(self, owner_id: str, content_id: ContentId, characters: int) -> list[FilePage]:
        """See FileStore."""
        length = func.length(_p.text)
        before = (func.sum(length).over(order_by=_p.number) - length).label("before")
        all_pages = (
            select(_p.number, _p.text, before)
            .where(_p.content_id == content_id, _p.owner_id == owner_id)
            .subquery()
        )
        query = (
            select(all_pages.c.number, all_pages.c.text)
            .where(all_pages.c.before < characters)
            .order_by(all_pages.c.number)
        )
        async with self._database.use() as connection:
            return [FilePage(row.number, row.text) for row in await connection.execute(query)]

    async def remove(self, owner_id: str, file_id: FileId) -> list[ContentId] | None:
        """See FileStore."""
        statement = (
            delete(attachments)
            .where(_a.owner_id == owner_id, _a.id == file_id)
            .returning(_a.content_id)
        )
        async with self._database.transaction() as connection:
            await lock_files_of(connection, owner_id)
            content_id: UUID | None = await connection.scalar(statement)
            if content_id is None:
                return None
            unused = await connection.scalars(_removed(content_id))
            return [ContentId(each) for each in unused]

    async def keep(self, owner_id: str, file_id: FileId, conversation_id: ConversationId) -> bool:
        """See FileStore."""
        statement = (
            update(attachments)
            .where(
                _a.owner_id == owner_id,
                _a.id == file_id,
                exists().where(_c.id == conversation_id, _c.owner_id == owner_id),
            )
            .values(conversation_id=conversation_id, expires_at=None)
        )
        async with self._database.use() as connection:
            return (await connection.execute(statement)).rowcount == 1

    async def list(
        self, owner_id: str, filter_: FileFilter, limit: int, cursor: str | None
    ) -> Page[StoredFile]:
        """See FileStore."""
        query = _filtered(self._files.where(_a.owner_id == owner_id), filter_)
        keys = tuple_(_a.created_at, _a.id)
        if cursor is not None:
            after = tuple_(*place_of(cursor))
            query = query.where(keys > after if filter_.oldest_first else keys < after)
        order = (_a.created_at, _a.id)
        if not filter_.oldest_first:
            order = (_a.created_at.desc(), _a.id.desc())
        async with self._database.use() as connection:
            found = await connection.execute(query.order_by(*order).limit(limit + 1))
            rows = found.mappings().all()
        items = [to_file(row) for row in rows[:limit]]
        return Page(items, items[-1].cursor if len(rows) > limit else None)


def _removed(content_id: UUID) -> ReturningUpdate[*tuple[Any, ...]]:
    """Have the bytes of a content removed, unless there is a file of it."""
    used = select(_a.id).where(_a.content_id == content_id).exists()
    return (
        update(file_contents)
        .where(_f.id == content_id, ~used)
        .values(status="removed", sha256=None, changed_at=func.now())
        .returning(_f.id)
    )


def _indexed_by(model: str) -> Select[*tuple[Any, ...]]:
    part = func.avg(case((_e.model == model, 1.0), else_=0.0))
    indexed = select(part).where(_e.content_id == _a.content_id).correlate(attachments)
    return FILES.add_columns(indexed.scalar_subquery().label("indexed"))


def to_file(row: RowMapping) -> StoredFile:
    """A file, from a row of `FILES`."""
    values: dict[str, Any] = dict(row)
    external_id = values.pop("external_id")
    identity = values["conversation_id"]
    conversation = None if identity is None else public_conversation_id(identity, external_id)
    values["sha256"] = values["sha256"].hex()
    values["status"] = FileStatus(values["status"])
    return StoredFile(**values, conversation=conversation)


def _filtered(query: Select[*tuple[Any, ...]], filter_: FileFilter) -> Select[*tuple[Any, ...]]:
    if filter_.conversation_id is not None:
        query = query.where(_a.conversation_id == filter_.conversation_id)
    if filter_.purpose is not None:
        return query.where(_a.purpose == filter_.purpose)
    return query.where(_a.purpose != SCREENSHOT)  # thousands, of which films tell

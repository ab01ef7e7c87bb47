"""Rows of files that are arriving: implements UploadStore."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import bindparam, func, insert, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.files import FILES, to_file
from cartrita.adapters.persistence.owner_locks import lock_files_of
from cartrita.adapters.persistence.tables.files import attachments, file_contents
from cartrita.domain.errors import StorageFull, Unavailable
from cartrita.domain.files import (
    ArrivedFile,
    ContentId,
    FilePurpose,
    FileQuota,
    FileStatus,
    FileUse,
    StoredFile,
    is_read,
)
from cartrita.domain.media_types import UNKNOWN
from cartrita.kit.ids import uuid7

_a, _f = attachments.c, file_contents.c
_FILES_OF = (
    select(func.count()).select_from(attachments).where(_a.owner_id == bindparam("owner_id"))
)
_BYTES_OF = select(func.coalesce(func.sum(_f.size + _f.image_size), 0)).where(
    _f.owner_id == bindparam("owner_id"), or_(_f.sha256.is_not(None), _f.status == "arriving")
)
_USE = select(
    _FILES_OF.scalar_subquery().label("files"), _BYTES_OF.scalar_subquery().label("octets")
)
_GIVEN_UP = "The upload took too long, and was given up: send it again."


class UploadTable:
    """Contents that arrive, and the files that are made of them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def use(self, owner_id: str) -> FileUse:
        """See UploadStore."""
        async with self._database.use() as connection:
            return await _use(connection, owner_id)

    async def begin(self, owner_id: str) -> ContentId:
        """See UploadStore."""
        made = ContentId(uuid7())
        row = {"id": made, "owner_id": owner_id, "media_type": UNKNOWN}
        async with self._database.use() as connection:
            await connection.execute(insert(file_contents).values(**row, size=0, status="arriving"))
        return made

    async def reserve(
        self, owner_id: str, content_id: ContentId, sizes: tuple[int, int], quota: FileQuota
    ) -> int:
        """See UploadStore."""
        least, most = sizes
        arriving = update(file_contents).where(_f.id == content_id, _f.status == "arriving")
        async with self._database.transaction() as connection:
            await lock_files_of(connection, owner_id)
            if (await connection.execute(arriving.values(size=least))).rowcount != 1:
                raise Unavailable(_GIVEN_UP)
            use = await _use(connection, owner_id)
            _require_room(use, quota)
            granted = min(most, least + quota.octets - use.octets)
            await connection.execute(arriving.values(size=granted))
        return granted

    async def finish(
        self, owner_id: str, arrived: Sequence[ArrivedFile], purpose: FilePurpose, quota: FileQuota
    ) -> list[StoredFile]:
        """See UploadStore."""
        made: list[UUID] = []
        async with self._database.transaction() as connection:
            await lock_files_of(connection, owner_id)
            for file in arrived:
                content_id = await _settle(connection, owner_id, file)
                made.append(await _attach(connection, owner_id, content_id, file.name, purpose))
            _require_room(await _use(connection, owner_id), quota)
            rows = await connection.execute(FILES.where(_a.id == func.any(made)))
            by_id = {row["id"]: to_file(row) for row in rows.mappings()}
        return [by_id[each] for each in made]

    async def abandon(self, content_ids: Collection[ContentId]) -> list[ContentId]:
        """See UploadStore."""
        if not content_ids:
            return []
        statement = (
            update(file_contents)
            .where(_f.id == func.any([*content_ids]), _f.status.in_(("arriving", "removed")))
            .values(status="removed", changed_at=func.now())
            .returning(_f.id)
        )
        async with self._database.use() as connection:
            return [ContentId(each) for each in await connection.scalars(statement)]


async def _use(connection: AsyncConnection, owner_id: str) -> FileUse:
    row = (await connection.execute(_USE, {"owner_id": owner_id})).one()
    return FileUse(row.files, int(row.octets))


def _require_room(use: FileUse, quota: FileQuota) -> None:
    if use.files > quota.files:
        raise StorageFull(
            f"You would have more than {quota.files:,} files: delete some first.",
            code="quota_exceeded",
        )
    if use.octets > quota.octets:
        raise StorageFull(
            f"Your files would take more than {quota.octets:,} bytes: delete some first.",
            code="quota_exceeded",
        )


async def _settle(connection: AsyncConnection, owner_id: str, file: ArrivedFile) -> UUID:
    """The content of a file: the one that has just arrived, or one of the same bytes."""
    digest = bytes.fromhex(file.sha256)
    known = select(_f.id).where(
        _f.owner_id == owner_id, _f.sha256 == digest, _f.media_type == file.media_type
    )
    same: UUID | None = await connection.scalar(known)
    values: dict[str, object] = {"status": "removed"}
    if same is None:
        unread = is_read(file.media_type) and file.image_type is None
        status = FileStatus.STORED if unread else FileStatus.READY
        values = {
            "status": status.value,
            "sha256": digest,
            "size": file.size,
            "media_type": file.media_type,
            "image_type": file.image_type,
        }
    arriving = (
        update(file_contents)
        .where(_f.id == file.content_id, _f.status == "arriving")
        .values(**values, changed_at=func.now())
    )
    if (await connection.execute(arriving)).rowcount != 1:
        raise Unavailable(_GIVEN_UP)
    return file.content_id if same is None else same


async def _attach(
    connection: AsyncConnection, owner_id: str, content_id: UUID, name: str, purpose: FilePurpose
) -> UUID:
    made = uuid7()
    kept_for = purpose.kept_for
    await connection.execute(
        insert(attachments).values(
            id=made,
            owner_id=owner_id,
            content_id=content_id,
            conversation_id=purpose.conversation_id,
            name=name,
            purpose=purpose.name,
            expires_at=None if kept_for is None else func.now() + literal(kept_for),
        )
    )
    return made

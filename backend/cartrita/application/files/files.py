"""Files of the caller: found, listed, sent back and deleted."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

from cartrita.application.conversations.conversations import validated_page_size
from cartrita.application.files.removal import FileRemoval
from cartrita.domain.errors import NotFound
from cartrita.domain.files import (
    ID_PREFIX,
    FileFilter,
    FileId,
    StoredFile,
    blob_name,
)
from cartrita.domain.ids import ConversationId
from cartrita.domain.ports.blobs import BlobStore
from cartrita.domain.ports.files import FileStore
from cartrita.domain.principals import Principal
from cartrita.kit import ids
from cartrita.kit.pagination import Page


class Files:
    """Files of the principal. Those of other owners raise NotFound like missing ones."""

    def __init__(self, store: FileStore, blobs: BlobStore, removal: FileRemoval) -> None:
        self._store = store
        self._blobs = blobs
        self._removal = removal

    async def get(self, principal: Principal, public_id: str) -> StoredFile:
        """Find a file by its id. Raises NotFound."""
        found = await self._store.get(principal.owner_id, _file_id(public_id))
        if found is None:
            raise NotFound.of("file")
        return found

    async def list(
        self,
        principal: Principal,
        filter_: FileFilter,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[StoredFile]:
        """One page, the latest first unless the filter says otherwise. Raises InvalidInput."""
        size = validated_page_size(limit)
        return await self._store.list(principal.owner_id, filter_, size, cursor)

    async def delete(self, principal: Principal, public_id: str) -> None:
        """Delete a file, and its bytes if no other file has the same. Raises NotFound."""
        unused = await self._store.remove(principal.owner_id, _file_id(public_id))
        if unused is None:
            raise NotFound.of("file")
        await self._removal.remove(unused)

    async def keep(
        self, principal: Principal, file: StoredFile, conversation_id: ConversationId
    ) -> None:
        """It is a file of this conversation from now on. Raises NotFound."""
        if not await self._store.keep(principal.owner_id, file.id, conversation_id):
            raise NotFound.of("file")

    def content(
        self, file: StoredFile, start: int = 0, end: int | None = None
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """The bytes of a file as it came, from `start` to before `end`."""
        return self._blobs.read(blob_name(file.content_id), start, end)

    def image(self, file: StoredFile) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """The image that was made of a file anew. Raises NotFound if there is none."""
        if file.image_type is None:
            raise NotFound("There is no image of this file.", code="file_not_found")
        return self._blobs.read(file.image_blob)


def _file_id(public_id: str) -> FileId:
    identity = ids.parse(ID_PREFIX, public_id)
    if identity is None:
        raise NotFound.of("file")
    return FileId(identity)

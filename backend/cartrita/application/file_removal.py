"""Removes the bytes of files that were deleted, that expired or that never arrived."""

from collections.abc import Collection

import structlog

from cartrita.domain.attachments import ContentId, blob_names
from cartrita.domain.errors import CartritaError
from cartrita.domain.ports.attachments import BlobStore, RemovedContents

log = structlog.get_logger()

_AT_ONCE = 100


class FileRemoval:
    """Removes at once what it is told, and all that was left with each sweep."""

    def __init__(self, contents: RemovedContents, blobs: BlobStore) -> None:
        self._contents = contents
        self._blobs = blobs

    async def remove(self, content_ids: Collection[ContentId]) -> None:
        """Remove these, whose rows say so already. What fails here is done by the next sweep."""
        try:
            await self._remove(content_ids)
        except CartritaError as error:
            log.info("file_not_removed", code=error.code)

    async def sweep(self) -> int:
        """Remove everything that is to be; returns the number of contents."""
        await self._contents.expire()
        content_ids = await self._contents.removed(_AT_ONCE)
        await self._remove(content_ids)
        return len(content_ids)

    async def _remove(self, content_ids: Collection[ContentId]) -> None:
        if content_ids:
            await self._blobs.remove([name for each in content_ids for name in blob_names(each)])
            await self._contents.forget(content_ids)

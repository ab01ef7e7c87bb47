"""Removes the bytes of files that were deleted, that expired or that never arrived."""

from collections.abc import Collection

import structlog

from cartrita.domain.errors import CartritaError
from cartrita.domain.files import ContentId, blob_names
from cartrita.domain.ports.blobs import BlobStore
from cartrita.domain.ports.files import RemovedContents

log = structlog.get_logger(__name__)

_AT_ONCE = 100
_MOST_FAILURES = 3
"""Of one sweep: each may take as long as the storage is waited for."""


class FileRemoval:
    """Removes at once what it is told, and all that was left with each sweep."""

    def __init__(self, contents: RemovedContents, blobs: BlobStore) -> None:
        self._contents = contents
        self._blobs = blobs

    async def remove(self, content_ids: Collection[ContentId]) -> None:
        """Remove these, whose rows say so already. What fails here is done by the next sweep."""
        for content_id in content_ids:
            await self._removed(content_id)

    async def sweep(self) -> int:
        """Remove everything that is to be; returns the number of contents.

        What cannot be removed now does not keep the rest from it.
        """
        await self._contents.expire()
        removed = failed = 0
        while not failed and (content_ids := await self._contents.removed(_AT_ONCE)):
            for content_id in content_ids:
                if await self._removed(content_id):
                    removed += 1
                elif (failed := failed + 1) == _MOST_FAILURES:
                    return removed
        return removed

    async def _removed(self, content_id: ContentId) -> bool:
        try:
            await self._blobs.remove(blob_names(content_id))
            await self._contents.forget(content_id)
        except CartritaError as error:
            log.warning("file_not_removed", content_id=content_id.hex, code=error.code)
            return False
        return True

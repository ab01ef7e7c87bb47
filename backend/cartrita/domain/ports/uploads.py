"""The port of files that arrive: their rows until their bytes are there."""

from collections.abc import Collection, Sequence
from typing import Protocol

from cartrita.domain.files import (
    ArrivedFile,
    ContentId,
    FilePurpose,
    FileQuota,
    FileUse,
    StoredFile,
)


class UploadStore(Protocol):
    """Rows of what is arriving."""

    async def use(self, owner_id: str) -> FileUse:
        """What the files of an owner take now, with what is reserved for those that arrive."""
        ...

    async def begin(self, owner_id: str) -> ContentId:
        """A new content, whose bytes are to follow."""
        ...

    async def reserve(
        self, owner_id: str, content_id: ContentId, sizes: tuple[int, int], quota: FileQuota
    ) -> int:
        """Keep room for a content that arrives; returns for how many bytes in all.

        `sizes` are the least and the most that are wanted. Raises StorageFull if the owner has no
        room for the least, and Unavailable if the content was given up.
        """
        ...

    async def finish(
        self, owner_id: str, arrived: Sequence[ArrivedFile], purpose: FilePurpose, quota: FileQuota
    ) -> list[StoredFile]:
        """All of them are files now, in this order. Bytes that the owner has already are reused.

        Raises StorageFull, and nothing is stored, if the owner would have too much.
        """
        ...

    async def abandon(self, content_ids: Collection[ContentId]) -> list[ContentId]:
        """These did not arrive, or are not needed; returns those whose bytes are to be removed.

        One that a file has, because `finish` was done before it failed, is not among them.
        """
        ...

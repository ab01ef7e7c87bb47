"""The ports of files: their rows, the queue of those to be read, their bytes, and their text."""

from collections.abc import AsyncGenerator, AsyncIterator, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from cartrita.domain.attachments import (
    ArrivedFile,
    AttachmentId,
    ContentId,
    FileFilter,
    FilePage,
    FilePurpose,
    FileQuota,
    FileUse,
    ReadImage,
    ReadingTask,
    ReadPage,
    StoredFile,
)
from cartrita.kit.pagination import Page


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


class AttachmentStore(Protocol):
    """Rows of files."""

    async def get(self, owner_id: str, attachment_id: AttachmentId) -> StoredFile | None: ...

    async def named(self, owner_id: str, name: str) -> StoredFile | None:
        """The latest file of this name, in whatever case."""
        ...

    async def pages(self, owner_id: str, content_id: ContentId, characters: int) -> list[FilePage]:
        """The first pages, until so many characters have come."""
        ...

    async def remove(self, owner_id: str, attachment_id: AttachmentId) -> list[ContentId] | None:
        """The contents that no file has any more, or None if there was no such file."""
        ...

    async def list(
        self, owner_id: str, filter_: FileFilter, limit: int, cursor: str | None
    ) -> Page[StoredFile]:
        """The latest first, unless the filter says otherwise. Raises InvalidInput."""
        ...


class RemovedContents(Protocol):
    """Contents whose bytes are to be removed."""

    async def expire(self) -> int:
        """Remove the files whose time is over, and what never arrived; returns their number."""
        ...

    async def removed(self, limit: int) -> list[ContentId]:
        """Some of those whose bytes are still to be removed, in no order."""
        ...

    async def forget(self, content_id: ContentId) -> None:
        """Its bytes have been removed."""
        ...


class ReadingQueue(Protocol):
    """Contents that are to be read, each by one reader at a time."""

    async def claim(self) -> ReadingTask | None:
        """The next one; also one whose reader has not been heard of for too long.

        It is of the owner for whom nothing has been read for longest, not of one for whom something
        is being read now if others wait. What is beyond an owner's quota of text fails.
        """
        ...

    async def add(self, task: ReadingTask, pages: Sequence[FilePage], progress: float) -> bool:
        """Store pages of it. False if it is not this reader's any more."""
        ...

    async def finish(
        self, task: ReadingTask, image_type: str | None = None, image_size: int = 0
    ) -> bool:
        """It has been read; as an image, if there is a type of one. False as for `add`."""
        ...

    async def fail(self, task: ReadingTask, reason: str) -> None:
        """It cannot be read."""
        ...

    async def release(self, task: ReadingTask) -> None:
        """It was not read; another may try, and this does not count as an attempt."""
        ...


class BlobStore(Protocol):
    """Bytes by their names."""

    async def put(self, name: str, pieces: AsyncIterator[bytes]) -> None:
        """Store all, or nothing. Raises StorageFull and Unavailable, and what `pieces` raise."""
        ...

    def read(
        self, name: str, start: int = 0, end: int | None = None
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """The bytes from `start` to before `end`. Raises NotFound and Unavailable."""
        ...

    async def remove(self, names: Collection[str]) -> None:
        """Remove those that are there. Raises Unavailable."""
        ...


class FileReading(Protocol):
    """Reads what files say."""

    def read(
        self, media_type: str, content: AsyncIterator[bytes]
    ) -> AsyncGenerator[ReadPage | ReadImage]:
        """The pages of a file in order, or one image. Raises UnreadableFile."""
        ...

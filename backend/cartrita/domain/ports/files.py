"""The ports of files: their rows, and what is to be removed."""

from typing import Protocol

from cartrita.domain.files import ContentId, FileFilter, FileId, FilePage, StoredFile
from cartrita.domain.ids import ConversationId
from cartrita.kit.pagination import Page


class FileStore(Protocol):
    """Rows of files."""

    async def get(self, owner_id: str, file_id: FileId) -> StoredFile | None: ...

    async def named(self, owner_id: str, name: str) -> StoredFile | None:
        """The latest file of this name, in whatever case."""
        ...

    async def pages(self, owner_id: str, content_id: ContentId, characters: int) -> list[FilePage]:
        """The first pages, until so many characters have come."""
        ...

    async def remove(self, owner_id: str, file_id: FileId) -> list[ContentId] | None:
        """The contents that no file has any more, or None if there was no such file."""
        ...

    async def keep(self, owner_id: str, file_id: FileId, conversation_id: ConversationId) -> bool:
        """It is a file of this conversation and kept as long; whether there is such a file."""
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

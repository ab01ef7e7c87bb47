"""The port of bytes: those of files."""

from collections.abc import AsyncIterator, Collection
from contextlib import AbstractAsyncContextManager
from typing import Protocol


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

"""The ports of reading files: the queue of those to be read, and what reads them."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Protocol

from cartrita.domain.files import FilePage, ReadImage, ReadingClaim, ReadPage


class ReadingQueue(Protocol):
    """Contents that are to be read, each by one reader at a time."""

    async def claim(self) -> ReadingClaim | None:
        """The next one; also one whose reader has not been heard of for too long.

        It is of the owner for whom nothing has been read for longest, not of one for whom something
        is being read now if others wait. What is beyond an owner's quota of text fails.
        """
        ...

    async def add(self, claim: ReadingClaim, pages: Sequence[FilePage], progress: float) -> bool:
        """Store pages of it. False if it is not this reader's any more."""
        ...

    async def finish(
        self, claim: ReadingClaim, image_type: str | None = None, image_size: int = 0
    ) -> bool:
        """It has been read; as an image, if there is a type of one. False as for `add`."""
        ...

    async def fail(self, claim: ReadingClaim, reason: str) -> None:
        """It cannot be read."""
        ...

    async def release(self, claim: ReadingClaim) -> None:
        """It was not read; another may try, and this does not count as an attempt."""
        ...


class FileReading(Protocol):
    """Reads what files say."""

    def read(
        self, media_type: str, content: AsyncIterator[bytes]
    ) -> AsyncGenerator[ReadPage | ReadImage]:
        """The pages of a file in order, or one image. Raises UnreadableFile."""
        ...

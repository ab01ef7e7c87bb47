"""Bytes by their names, in a directory or a bucket: implements BlobStore."""

import asyncio
import os
import re
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Collection, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Final

import obstore
import structlog
from obstore.exceptions import BaseError
from obstore.store import ObjectStore

from cartrita.domain.errors import CartritaError, NotFound, StorageFull, Unavailable

log = structlog.get_logger(__name__)

_PART_BYTES: Final = 5 << 20
"""What is written at once: the least that S3 takes for a part."""
_PARTS_AT_ONCE: Final = 2
_READ_BYTES: Final = 256 << 10
_FULL = re.compile(r"StorageFull|FileTooLarge|QuotaExceeded|EntityTooLarge")
"""What the kinds of the operating system's errors, and the codes of S3, have in common."""


class Blobs:
    """Blobs of one store; `folder` is where it is, if it is a directory.

    One that is being written is not there before its last byte is. An upload takes 15 MiB of
    memory, however long it is.
    """

    def __init__(self, store: ObjectStore, *, folder: Path | None = None) -> None:
        self._store = store
        self._folder = folder

    async def put(self, name: str, pieces: AsyncIterator[bytes]) -> None:
        """See BlobStore."""
        first, ended = await _first_part(pieces)
        content = _Joined(first, pieces, ended=ended)
        with _translated_errors():
            await _put(
                obstore.put_async(
                    self._store,
                    name,
                    first if ended else content.pieces(),
                    use_multipart=not ended,
                    chunk_size=_PART_BYTES,
                    max_concurrency=_PARTS_AT_ONCE,
                ),
                content,
            )
            if self._folder is not None:
                await asyncio.to_thread(_sync, self._folder, name)

    @asynccontextmanager
    async def read(
        self, name: str, start: int = 0, end: int | None = None
    ) -> AsyncGenerator[AsyncIterator[bytes]]:
        """See BlobStore."""
        with _translated_errors():
            if end is None:
                found = await obstore.get_async(self._store, name)
            else:
                found = await obstore.get_async(self._store, name, options={"range": (start, end)})
        yield _pieces(found)

    async def remove(self, names: Collection[str]) -> None:
        """See BlobStore."""
        for name in names:
            with _translated_errors(), suppress(FileNotFoundError):
                await obstore.delete_async(self._store, name)
            if self._folder is not None:
                await asyncio.to_thread(_remove_drafts, self._folder, name)


def _sync(folder: Path, name: str) -> None:
    """Have it on the disk before the database says so, which survives a loss of power."""
    for path in (folder / name, folder):
        opened = os.open(path, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def _remove_drafts(folder: Path, name: str) -> None:
    """What processes that were killed had begun to write of it; obstore numbers them."""
    with suppress(FileNotFoundError):
        for number in count(1):
            (folder / f"{name}#{number}").unlink()


async def _first_part(pieces: AsyncIterator[bytes]) -> tuple[bytes, bool]:
    """As much as is written at once, and whether that is all."""
    gathered: list[bytes] = []
    size = 0
    async for piece in pieces:
        gathered.append(piece)
        size += len(piece)
        if size >= _PART_BYTES:
            return b"".join(gathered), False
    return b"".join(gathered), True


class _Joined:
    """The first part and the rest; `ended` once all of it was taken."""

    def __init__(self, first: bytes, rest: AsyncIterator[bytes], *, ended: bool) -> None:
        self._first = first
        self._rest = rest
        self.ended = ended

    async def pieces(self) -> AsyncGenerator[bytes]:
        yield self._first
        async for piece in self._rest:
            yield piece
        self.ended = True


async def _put(putting: Awaitable[object], content: _Joined) -> None:
    """Wait until it is done; also when cancelled, since what is written whole still appears then.

    So whoever removes it afterwards finds it. What has not come whole is given up.
    """
    assert isinstance(putting, asyncio.Future)
    try:
        await asyncio.wait((putting,))
    except asyncio.CancelledError:
        if not content.ended:
            putting.cancel()
        await asyncio.wait((putting,))
        with suppress(asyncio.CancelledError):
            putting.exception()
        raise
    putting.result()


async def _pieces(found: "obstore.GetResult") -> AsyncGenerator[bytes]:
    with _translated_errors():
        async for piece in found.stream(min_chunk_size=_READ_BYTES):
            yield bytes(piece)


@contextmanager
def _translated_errors() -> Generator[None]:
    try:
        yield
    except CartritaError:
        raise
    except FileNotFoundError:
        raise NotFound("The bytes of this file are not there any more.") from None
    except (BaseError, OSError) as error:
        text = str(error)
        if _FULL.search(text):
            log.error("file_storage_full")
            raise StorageFull(
                "The server has no room for this file; nothing of it was stored."
            ) from None
        log.warning("file_storage_away", error=type(error).__name__)
        raise Unavailable(
            "The storage of files cannot be reached right now; try again in a moment.",
            retry_after=1,
        ) from None

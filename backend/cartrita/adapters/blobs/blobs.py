"""Bytes by their names, in a directory or a bucket: implements BlobStore."""

import re
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Final

import obstore
import structlog
from obstore.exceptions import BaseError
from obstore.store import ObjectStore

from cartrita.domain.errors import CartritaError, NotFound, StorageFull, Unavailable

log = structlog.get_logger()

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
        with _translated_errors():
            if ended:
                await obstore.put_async(self._store, name, first, use_multipart=False)
                return
            await obstore.put_async(
                self._store,
                name,
                _joined(first, pieces),
                chunk_size=_PART_BYTES,
                max_concurrency=_PARTS_AT_ONCE,
            )

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
            self._remove_drafts(name)

    def _remove_drafts(self, name: str) -> None:
        """What a process that was killed had begun to write of it."""
        if self._folder is not None:
            for draft in self._folder.glob(f"{name}#*"):
                draft.unlink(missing_ok=True)


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


async def _joined(first: bytes, rest: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
    yield first
    async for piece in rest:
        yield piece


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

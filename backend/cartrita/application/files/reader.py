"""Reads what files say, beside the requests: one file at a time in each worker."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress

import anyio
import msgspec
import structlog

from cartrita.domain.errors import CartritaError, NotFound
from cartrita.domain.files import (
    FilePage,
    ReadImage,
    ReadingClaim,
    ReadPage,
    UnreadableFile,
    blob_name,
    image_name,
)
from cartrita.domain.media_types import IMAGES
from cartrita.domain.ports.blobs import BlobStore
from cartrita.domain.ports.file_reading import FileReading, ReadingQueue
from cartrita.kit.repeated_failures import RepeatedFailures

log = structlog.get_logger(__name__)

_BATCH_CHARACTERS = 200_000
_NO_TEXT = "It holds no text; it may be a scan."


class ReadingLimits(msgspec.Struct, frozen=True, kw_only=True):
    """The largest file that is read, in bytes, and how often the queue is looked at, in seconds."""

    file_bytes: int
    interval_s: float


class FileReader:
    """Claims contents that are to be read, and stores their pages or their image."""

    def __init__(
        self, queue: ReadingQueue, blobs: BlobStore, reading: FileReading, limits: ReadingLimits
    ) -> None:
        self._queue = queue
        self._blobs = blobs
        self._reading = reading
        self._limits = limits
        self._woken = asyncio.Event()
        self._failure_logger = RepeatedFailures("file_reading_failed")

    def wake(self) -> None:
        """There is something new to be read."""
        self._woken.set()

    async def run(self) -> None:
        """Read until cancelled. A file that was being read then is read again by another."""
        while True:
            self._woken.clear()
            try:
                while (claim := await self._queue.claim()) is not None:
                    await self._read_or_release(claim)
            except CartritaError as error:
                log.info("file_reading_paused", code=error.code)
            except Exception as error:
                self._failure_logger.exception("queue", error=error)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._limits.interval_s):
                    await self._woken.wait()

    async def _read_or_release(self, claim: ReadingClaim) -> None:
        try:
            await self._read_uncancelled(claim)
        except UnreadableFile as error:
            log.info("file_unreadable", content_id=claim.content_id.hex, type=claim.media_type)
            await self._queue.fail(claim, str(error))
        except NotFound:
            await self._queue.fail(claim, "Its bytes are not there any more.")
        except (CartritaError, asyncio.CancelledError):
            with anyio.CancelScope(shield=True):
                await self._queue.release(claim)
            raise
        except Exception as error:
            self._failure_logger.exception(claim.media_type, error=error)
            await self._queue.fail(claim, "The server could not read it.")

    async def _read_uncancelled(self, claim: ReadingClaim) -> None:
        """Read it. Raises RuntimeError for a cancellation that nobody asked for: a defect."""
        try:
            await self._read(claim)
        except asyncio.CancelledError as error:
            running = asyncio.current_task()
            if running is None or running.cancelling():
                raise
            raise RuntimeError("cancelled by nobody") from error

    async def _read(self, claim: ReadingClaim) -> None:
        if claim.size > self._limits.file_bytes:
            raise UnreadableFile(
                f"It is longer than the {self._limits.file_bytes:,} bytes that are read."
            )
        batch = _Batch(self._queue, claim)
        image_type: str | None = None
        image_size = 0
        async with (
            self._blobs.read(blob_name(claim.content_id)) as content,
            aclosing(self._reading.read(claim.media_type, content)) as found,
        ):
            async for item in found:
                if isinstance(item, ReadImage):
                    await self._blobs.put(image_name(claim.content_id), _once(item.octets))
                    image_type, image_size = item.media_type, len(item.octets)
                elif not await batch.add(item):
                    return
        held = await batch.store()
        if held and not batch.characters and claim.media_type not in IMAGES:
            raise UnreadableFile(_NO_TEXT)
        if not await self._queue.finish(claim, image_type, image_size) and image_type is not None:
            await self._blobs.remove([image_name(claim.content_id)])


class _Batch:
    """Pages that are stored together."""

    def __init__(self, queue: ReadingQueue, claim: ReadingClaim) -> None:
        self._queue = queue
        self._claim = claim
        self._pages: list[FilePage] = []
        self._waiting = 0
        self._progress = 0.0
        self.characters = 0

    async def add(self, read: ReadPage) -> bool:
        """Whether the content is still this reader's."""
        self._pages.append(read.page)
        self._progress = read.progress
        self._waiting += len(read.page.text)
        self.characters += len(read.page.text.strip())
        return self._waiting < _BATCH_CHARACTERS or await self.store()

    async def store(self) -> bool:
        """Store what waits. Whether the content is still this reader's."""
        pages, self._pages, self._waiting = self._pages, [], 0
        return await self._queue.add(self._claim, pages, self._progress)


async def _once(octets: bytes) -> AsyncIterator[bytes]:
    yield octets

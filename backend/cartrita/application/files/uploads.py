"""Uploads: bytes that arrive become files of the caller, all those of a request or none."""

import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

import anyio
import msgspec
import structlog

from cartrita.application.files.removal import FileRemoval
from cartrita.domain.errors import (
    CartritaError,
    InvalidInput,
    StorageFull,
    TooLarge,
    UnsupportedMedia,
)
from cartrita.domain.files import (
    ArrivedFile,
    ContentId,
    FilePurpose,
    FileQuota,
    FileUse,
    StoredFile,
    blob_name,
)
from cartrita.domain.media_types import HEAD_BYTES, UNKNOWN, allows, sniffed_type
from cartrita.domain.ports.blobs import BlobStore
from cartrita.domain.ports.uploads import UploadStore
from cartrita.domain.principals import Principal
from cartrita.kit.file_names import safe_name

log = structlog.get_logger(__name__)

_RESERVED_BYTES = 1 << 20
"""Room for at least so many is kept at once for a file that is longer than its head."""


class UploadLimits(msgspec.Struct, frozen=True, kw_only=True):
    """The types that files may have, their most bytes, and what an owner may have.

    `types` are media types, or patterns like `image/*`; `files` are those of one request.
    """

    types: tuple[str, ...]
    file_bytes: int
    files: int
    quota: FileQuota


class Uploads:
    """Receives files. `on_stored` is called when there is something new to be read."""

    def __init__(
        self,
        store: UploadStore,
        blobs: BlobStore,
        removal: FileRemoval,
        limits: UploadLimits,
        on_stored: Callable[[], None],
    ) -> None:
        self._store = store
        self._blobs = blobs
        self._removal = removal
        self._limits = limits
        self._on_stored = on_stored

    @asynccontextmanager
    async def receiving(self, principal: Principal) -> AsyncGenerator["Upload"]:
        """The upload of one request: what is not finished in the context leaves nothing behind.

        Raises StorageFull if the owner may have no more.
        """
        owner_id = principal.owner_id
        use = await self._store.use(owner_id)
        _require_room(use, self._limits.quota)
        upload = Upload(self._store, self._blobs, self._limits, owner_id)
        try:
            yield upload
        finally:
            with anyio.CancelScope(shield=True):
                await self._drop(upload)
        self._on_stored()

    async def _drop(self, upload: "Upload") -> None:
        """Remove what is not finished. What fails here is done by a sweep."""
        if not upload.unfinished:
            return
        try:
            given_up = await self._store.abandon(upload.unfinished)
        except CartritaError as error:
            log.info("upload_not_abandoned", code=error.code)
        else:
            await self._removal.remove(given_up)


class Upload:
    """Files that are arriving. `unfinished` are the contents that no file has yet."""

    def __init__(
        self,
        store: UploadStore,
        blobs: BlobStore,
        limits: UploadLimits,
        owner_id: str,
    ) -> None:
        self._store = store
        self._blobs = blobs
        self._limits = limits
        self._owner_id = owner_id
        self._arrived: list[ArrivedFile] = []
        self.unfinished: list[ContentId] = []

    async def receive(self, field: str, name: str, pieces: AsyncIterator[bytes]) -> None:
        """Store the bytes of one file, which `field` of the request holds.

        Raises InvalidInput, TooLarge, UnsupportedMedia, StorageFull, and what `pieces` raise.
        """
        if len(self._arrived) >= self._limits.files:
            raise TooLarge(f"Send at most {self._limits.files} files at once.")
        name = safe_name(name)
        head = await _head(pieces)
        if not head:
            raise InvalidInput.of(field, f"{name} is empty")
        media_type = sniffed_type(head, name)
        self._require_allowed(name, media_type)
        content_id = await self._store.begin(self._owner_id)
        self.unfinished.append(content_id)
        counted = _Counted(head, pieces, partial(self._reserve, content_id))
        await self._blobs.put(blob_name(content_id), counted.pieces())
        self._arrived.append(
            ArrivedFile(
                content_id=content_id,
                name=name,
                media_type=media_type,
                size=counted.size,
                sha256=counted.digest.hexdigest(),
            )
        )

    @property
    def empty(self) -> bool:
        """Whether no file has arrived."""
        return not self._arrived

    async def finish(self, purpose: FilePurpose) -> list[StoredFile]:
        """Make files of all that has arrived. Raises StorageFull, and Unavailable."""
        made = await self._store.finish(self._owner_id, self._arrived, purpose, self._limits.quota)
        kept = {file.content_id for file in made}
        repeated = [each for each in self.unfinished if each not in kept]
        self.unfinished = repeated
        return made

    def _require_allowed(self, name: str, media_type: str) -> None:
        if allows(self._limits.types, media_type):
            return
        found = "of no known type" if media_type == UNKNOWN else media_type
        raise UnsupportedMedia(
            f"{name} is {found}, which is not accepted here. What is: "
            f"{', '.join(self._limits.types)}.",
            code="file_type_not_allowed",
        )

    async def _reserve(self, content_id: ContentId, size: int) -> int:
        """Keep room for so many bytes, and of a long file for more; returns for how many."""
        if size > self._limits.file_bytes:
            raise TooLarge(f"A file may have at most {self._limits.file_bytes:,} bytes.")
        most = size
        if size >= HEAD_BYTES:
            most = min(max(2 * size, _RESERVED_BYTES), self._limits.file_bytes)
        return await self._store.reserve(
            self._owner_id, content_id, (size, most), self._limits.quota
        )


class _Counted:
    """The bytes of a file, with their number and their digest."""

    def __init__(
        self, head: bytes, rest: AsyncIterator[bytes], reserve: Callable[[int], Awaitable[int]]
    ) -> None:
        self._head = head
        self._rest = rest
        self._reserve = reserve
        self._reserved = 0
        self.size = 0
        self.digest = hashlib.sha256()

    async def pieces(self) -> AsyncGenerator[bytes]:
        yield await self._count(self._head)
        async for piece in self._rest:
            yield await self._count(piece)

    async def _count(self, piece: bytes) -> bytes:
        self.size += len(piece)
        if self.size > self._reserved:
            self._reserved = await self._reserve(self.size)
        self.digest.update(piece)
        return piece


async def _head(pieces: AsyncIterator[bytes]) -> bytes:
    """The first bytes, as many as tell what a file is."""
    gathered: list[bytes] = []
    size = 0
    async for piece in pieces:
        gathered.append(piece)
        size += len(piece)
        if size >= HEAD_BYTES:
            break
    return b"".join(gathered)


def _require_room(use: FileUse, quota: FileQuota) -> None:
    if use.files >= quota.files or use.octets >= quota.octets:
        raise StorageFull(
            f"You have {use.files:,} files of {use.octets:,} bytes, which is as much as you may "
            "have: delete some first.",
            code="quota_exceeded",
        )

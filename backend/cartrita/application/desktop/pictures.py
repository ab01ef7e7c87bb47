"""Pictures of screens, stored as files of the conversation."""

from collections.abc import AsyncGenerator
from datetime import datetime
from hashlib import sha256

import anyio

from cartrita.application.desktop.memory import DesktopMemory, Picture
from cartrita.application.files.removal import FileRemoval
from cartrita.domain.desktop import DesktopSession, Shot
from cartrita.domain.desktop_films import SCREENSHOT
from cartrita.domain.files import (
    ArrivedFile,
    FileId,
    FilePurpose,
    FileQuota,
    blob_name,
)
from cartrita.domain.ports.blobs import BlobStore
from cartrita.domain.ports.files import FileStore
from cartrita.domain.ports.uploads import UploadStore
from cartrita.kit import clock

_PNG = "image/png"


class Pictures:
    """Stores what is seen of desktops: of pictures that are the same, one."""

    def __init__(
        self,
        store: UploadStore,
        files: FileStore,
        blobs: BlobStore,
        removal: FileRemoval,
        quota: FileQuota,
        memory: DesktopMemory,
    ) -> None:
        self._store = store
        self._files = files
        self._blobs = blobs
        self._removal = removal
        self._quota = quota
        self._memory = memory

    async def screen(self, session: DesktopSession, shot: Shot) -> FileId:
        """The file of the whole screen. Raises StorageFull and Unavailable.

        That of the last picture is taken again if it is the same, and nobody has deleted it.
        """
        digest = sha256(shot.png).digest()
        last = self._memory.picture(session.id)
        if last is not None and last.digest == digest:
            found = await self._files.get(session.owner_id, last.file_id)
            if found is not None:
                return found.id
        file_id = await self.part(session, shot)
        self._memory.keep(session.id, Picture(digest, file_id))
        return file_id

    async def is_there(self, session: DesktopSession, file_id: FileId) -> bool:
        """Whether nobody has deleted a picture."""
        return await self._files.get(session.owner_id, file_id) is not None

    async def part(self, session: DesktopSession, shot: Shot) -> FileId:
        """The file of a picture. Raises StorageFull and Unavailable."""
        content_id = await self._store.begin(session.owner_id)
        try:
            await self._blobs.put(blob_name(content_id), _piece(shot.png))
            arrived = ArrivedFile(
                content_id=content_id,
                name=_name(clock.now()),
                media_type=_PNG,
                size=len(shot.png),
                sha256=sha256(shot.png).hexdigest(),
                image_type=_PNG,
            )
            purpose = FilePurpose(name=SCREENSHOT, conversation_id=session.conversation_id)
            [made] = await self._store.finish(session.owner_id, [arrived], purpose, self._quota)
        except BaseException:
            with anyio.CancelScope(shield=True):
                await self._removal.remove(await self._store.abandon([content_id]))
            raise
        if made.content_id != content_id:  # there were such bytes already
            await self._removal.remove(await self._store.abandon([content_id]))
        return made.id


async def _piece(octets: bytes) -> AsyncGenerator[bytes]:
    yield octets


def _name(moment: datetime) -> str:
    return f"desktop-{moment:%Y%m%d-%H%M%S-%f}.png"

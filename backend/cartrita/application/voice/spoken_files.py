"""Recordings and spoken answers, as files of their conversations."""

from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from typing import Final

from cartrita.application.files.files import Files
from cartrita.application.files.uploads import Uploads
from cartrita.domain.errors import NotFound
from cartrita.domain.files import FileFilter, FilePurpose, StoredFile
from cartrita.domain.ids import ConversationId
from cartrita.domain.principals import Principal

RECORDINGS: Final = "user_data"
ANSWERS: Final = "assistants_output"
"""What these files are for, in OpenAI's words."""
_UNDECIDED: Final = timedelta(hours=1)
"""So long a recording is kept whose message never came, as when the server ended between both."""
_PAGE: Final = 100


class SpokenFiles:
    """Stores what was said, and what was spoken."""

    def __init__(self, uploads: Uploads, files: Files) -> None:
        self._uploads = uploads
        self._files = files

    async def add(
        self,
        principal: Principal,
        name: str,
        pieces: AsyncIterator[bytes],
        conversation_id: ConversationId | None = None,
        purpose: str = RECORDINGS,
    ) -> StoredFile:
        """A file of a conversation; without one it is kept for an hour, unless `keep` comes.

        Raises StorageFull, UnsupportedMedia, and what `pieces` raise.
        """
        kept_for = _UNDECIDED if conversation_id is None else None
        async with self._uploads.receiving(principal) as upload:
            await upload.receive("audio", name, pieces)
            [made] = await upload.finish(
                FilePurpose(name=purpose, conversation_id=conversation_id, kept_for=kept_for)
            )
        return made

    async def keep(
        self, principal: Principal, file: StoredFile, conversation_id: ConversationId
    ) -> None:
        """It is a file of this conversation now. Raises NotFound if it was deleted."""
        await self._files.keep(principal, file, conversation_id)

    async def drop(self, principal: Principal, file: StoredFile) -> None:
        """It is not needed."""
        with suppress(NotFound):
            await self._files.delete(principal, file.public_id)

    async def answer(
        self, principal: Principal, conversation_id: ConversationId, stem: str
    ) -> StoredFile | None:
        """The spoken answer of a conversation whose name begins with this stem."""
        filter_ = FileFilter(conversation_id=conversation_id, purpose=ANSWERS)
        cursor: str | None = None
        while True:
            page = await self._files.list(principal, filter_, _PAGE, cursor)
            for file in page.items:
                if file.name.startswith(f"{stem}."):
                    return file
            cursor = page.next_cursor
            if cursor is None:
                return None

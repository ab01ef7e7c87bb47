"""What the files of the caller say: searched by passages, and read by pages."""

import asyncio
from typing import Final

from cartrita.application.search.meaning import MeaningSearch
from cartrita.application.search.ranking import fused
from cartrita.domain.errors import InvalidInput, NotFound
from cartrita.domain.files import ID_PREFIX, ContentId, FileId, FileStatus, StoredFile
from cartrita.domain.passages import FileExcerpt, FoundPassage, PassageQuery
from cartrita.domain.ports.files import FileStore
from cartrita.domain.ports.passages import PassageIndex
from cartrita.domain.principals import Principal
from cartrita.domain.scopes import Operation
from cartrita.kit import ids
from cartrita.kit.text import storable_text

_RANKED: Final = 50
"""Of each ranking: what stands further down in one seldom gets up by another."""


class FileTexts:
    """Implements OwnFiles; `meaning` finds passages by what they mean, where that is configured."""

    def __init__(
        self, store: FileStore, index: PassageIndex, meaning: MeaningSearch | None = None
    ) -> None:
        self._store = store
        self._index = index
        self._meaning = meaning

    async def search(
        self, principal: Principal, text: str, *, file: str | None = None, limit: int = 8
    ) -> list[FoundPassage]:
        """See OwnFiles."""
        principal.scopes.require_operation(Operation.CONVERSATIONS)
        if file is None:
            return await self.best(principal.owner_id, text, None, limit)
        named = await self._readable(principal.owner_id, file)
        best = await self.best(principal.owner_id, text, named.content_id, limit)
        return [found.in_file(named.id, named.name) for found in best]

    async def best(
        self, owner_id: str, text: str, content_id: ContentId | None, limit: int
    ) -> list[FoundPassage]:
        """The best passages for a question, of all files of an owner or of one content."""
        query = PassageQuery(
            owner_id=owner_id, text=text, content_id=content_id, limit=max(_RANKED, limit)
        )
        if self._meaning is None:
            return fused(await self._index.with_words(query), (), limit)
        try:
            async with asyncio.TaskGroup() as tasks:
                by_words = tasks.create_task(self._index.with_words(query))
                by_meaning = tasks.create_task(self._meaning.nearest(query))
        except BaseExceptionGroup as failures:
            raise failures.exceptions[0] from None
        return fused(by_words.result(), by_meaning.result(), limit)

    async def read(
        self, principal: Principal, file: str, *, first: int, last: int, start: int, characters: int
    ) -> FileExcerpt:
        """See OwnFiles."""
        principal.scopes.require_operation(Operation.CONVERSATIONS)
        found = await self._readable(principal.owner_id, file)
        if first > found.pages:
            raise InvalidInput.of("first_page", f"{found.name} has {found.pages} pages")
        last = min(max(first, last), found.pages)
        pages, total = await self._index.excerpt(found, first, last, start, characters)
        return FileExcerpt(
            file_id=found.id,
            name=found.name,
            file_pages=found.pages,
            pages=tuple(pages),
            start=start,
            total=total,
        )

    async def _readable(self, owner_id: str, named: str) -> StoredFile:
        """A file with text, by its id or its name."""
        identity = ids.parse(ID_PREFIX, named)
        if identity is None:
            found = await self._store.named(owner_id, storable_text(named))
        else:
            found = await self._store.get(owner_id, FileId(identity))
        if found is None:
            raise NotFound.of("file")
        if found.status is not FileStatus.READY:
            why = found.reason or "it has not been read yet"
            raise InvalidInput.of("file", f"{found.name} cannot be read: {why}")
        if not found.pages:
            raise InvalidInput.of("file", f"{found.name} is {found.media_type}, without text")
        return found

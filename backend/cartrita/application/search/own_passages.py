"""What an owner has stored, in passages that can be quoted: of messages, and of files."""

from collections.abc import Iterable, Sequence
from itertools import chain, zip_longest
from typing import Final

from cartrita.domain.files import FileStatus, StoredFile
from cartrita.domain.passages import LONGEST_PASSAGE, FoundPassage, Passage, PassageQuery
from cartrita.domain.ports.files import FileStore
from cartrita.domain.ports.passages import PassageIndex
from cartrita.domain.ports.search import MessagePassages
from cartrita.domain.search import QuotablePassage

_MESSAGE: Final = "Stored here"


class OwnPassages:
    """Implements PassageSearch, by words alone."""

    def __init__(self, messages: MessagePassages, index: PassageIndex, store: FileStore) -> None:
        self._messages = messages
        self._index = index
        self._store = store

    async def passages(
        self, owner_id: str, words: str, limit: int, files: Sequence[str] = ()
    ) -> list[QuotablePassage]:
        """See PassageSearch."""
        named = [await self._of_file(owner_id, words, limit, name) for name in files]
        query = PassageQuery(owner_id=owner_id, text=words, limit=limit)
        stored = _quotable(await self._index.with_words(query))
        said = [
            QuotablePassage(_MESSAGE, text)
            for text in await self._messages.passages(owner_id, words, limit)
        ]
        found = (*_alternating(*named), *_alternating(said, stored))
        return list(dict.fromkeys(found))[:limit]

    async def _of_file(
        self, owner_id: str, words: str, limit: int, name: str
    ) -> list[QuotablePassage]:
        """The best of a file, or how it begins if it holds none of the words."""
        file = await self._store.named(owner_id, name)
        if file is None or file.status is not FileStatus.READY or not file.pages:
            return []
        query = PassageQuery(owner_id=owner_id, text=words, content_id=file.content_id, limit=limit)
        found = await self._index.with_words(query)
        return _quotable(
            [one.in_file(file.id, file.name) for one in found] or await self._beginning(file)
        )

    async def _beginning(self, file: StoredFile) -> list[FoundPassage]:
        pages = await self._store.pages(file.owner_id, file.content_id, 1)
        return [
            FoundPassage(
                file_id=file.id,
                content_id=file.content_id,
                name=file.name,
                pages=file.pages,
                passage=Passage(page.number, 1, 0, page.text[:LONGEST_PASSAGE]),
            )
            for page in pages
        ]


def _quotable(found: Iterable[FoundPassage]) -> list[QuotablePassage]:
    return [QuotablePassage(one.title, one.passage.text, one.url, one.name) for one in found]


def _alternating(*rankings: Sequence[QuotablePassage]) -> list[QuotablePassage]:
    """The first of each, then the second of each, and so on."""
    return [one for one in chain.from_iterable(zip_longest(*rankings)) if one is not None]

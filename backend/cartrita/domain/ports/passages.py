"""The ports of what files say: their passages by words, and their text by pages."""

from typing import Protocol

from cartrita.domain.files import FilePage, StoredFile
from cartrita.domain.passages import FileExcerpt, FoundPassage, PassageQuery
from cartrita.domain.principals import Principal


class PassageIndex(Protocol):
    """Rows of passages. No text of a query raises."""

    async def with_words(self, query: PassageQuery) -> list[FoundPassage]:
        """Those with words of the query, the best first: many of its words, and the rare ones.

        Quotes and minus signs are those of web search, unless nothing is found so.
        """
        ...

    async def excerpt(
        self, file: StoredFile, first: int, last: int, start: int, characters: int
    ) -> tuple[list[FilePage], int]:
        """So many characters from `start` of these pages, and how many they have together."""
        ...


class OwnFiles(Protocol):
    """What the files of a caller say."""

    async def search(
        self, principal: Principal, text: str, *, file: str | None = None, limit: int = 8
    ) -> list[FoundPassage]:
        """The best passages of all files or of one. Raises Forbidden, and NotFound for the file."""
        ...

    async def read(
        self, principal: Principal, file: str, *, first: int, last: int, start: int, characters: int
    ) -> FileExcerpt:
        """The text of pages of a file, which is named by its id or its name.

        Raises Forbidden, NotFound, and InvalidInput for a file that has no text.
        """
        ...

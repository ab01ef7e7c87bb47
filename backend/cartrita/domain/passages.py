"""Passages: the parts of the pages of files that are searched, found and cited."""

from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec.structs import replace

from cartrita.domain.file_places import FilePlace
from cartrita.domain.files import ID_PREFIX, ContentId, FileId, FilePage
from cartrita.kit import ids

LONGEST_PASSAGE: Final = 1_200
"""In characters: some two hundred words, which models that embed take whole."""

LONGEST_FILE_QUERY: Final = 1_000

_SHORTEST = LONGEST_PASSAGE // 3
_ENDS = ("\n\n", "\n", ". ", "? ", "! ", " ")
"""After which a passage ends: the first of these that stands in the last two thirds of it."""


class Passage(msgspec.Struct, frozen=True):
    """A part of a page: the `number`th, from 1, which begins at its character `start`, from 0."""

    page: int
    number: int
    start: int
    text: str


class PassageQuery(msgspec.Struct, frozen=True, kw_only=True):
    """A search in the files of an owner, or in those of one content.

    `text` is plain words or a question: it has no syntax errors.
    """

    owner_id: str
    text: str
    content_id: ContentId | None = None
    limit: int = 8


class FoundPassage(msgspec.Struct, frozen=True, kw_only=True):
    """A passage that was found in a file; `pages` are those of the whole file.

    `score` tells how well it matches: by words, the share of what is asked that it holds; by
    meaning, the cosine.
    """

    file_id: FileId
    content_id: ContentId
    name: str
    pages: int
    passage: Passage
    score: float = 0.0

    def in_file(self, file_id: FileId, name: str) -> "FoundPassage":
        """The same passage in another file of the same bytes."""
        return replace(self, file_id=file_id, name=name)

    @property
    def place(self) -> tuple[ContentId, int, int]:
        """Which passage of all this is."""
        return self.content_id, self.passage.page, self.passage.number

    @property
    def title(self) -> str:
        """Where it stands, for people."""
        return self._place.title

    @property
    def url(self) -> str:
        """Where the file is read."""
        return self._place.url

    @property
    def _place(self) -> FilePlace:
        file_id = ids.public(ID_PREFIX, self.file_id)
        return FilePlace(file_id, self.name, self.passage.page, self.passage.number)


class FileExcerpt(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the text of some pages of a file.

    Of the `total` characters of these pages it holds those from `start`; `file_pages` are all.
    """

    file_id: FileId
    name: str
    file_pages: int
    pages: tuple[FilePage, ...]
    start: int
    total: int

    @property
    def end(self) -> int:
        """The character after the last of it."""
        return self.start + sum(len(page.text) for page in self.pages)


def passages_of(page: FilePage) -> Iterator[Passage]:
    """The passages of a page in order, without those that are empty.

    They end where paragraphs, lines, sentences or at least words do.
    """
    start = number = 0
    while start < len(page.text):
        end = _end(page.text, start)
        text = page.text[start:end]
        if stripped := text.strip():
            number += 1
            lead = len(text) - len(text.lstrip())
            yield Passage(page.number, number, start + lead, stripped)
        start = end


def _end(text: str, start: int) -> int:
    end = start + LONGEST_PASSAGE
    if end >= len(text):
        return len(text)
    for mark in _ENDS:
        found = text.rfind(mark, start + _SHORTEST, end)
        if found != -1:
            return found + len(mark)
    return end

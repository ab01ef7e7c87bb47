"""What models are told of the files in a conversation: their text, and their images.

A stored message names its files; a model gets what they hold. The latest files come first in what
may be told of all together. Of what is longer, a model gets the passages that match what the person
said last, or where none do the beginning, and is told so.
"""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from typing import TypeGuard

import msgspec
import structlog
from msgspec.structs import replace

from cartrita.application.files.texts import FileTexts
from cartrita.application.files.wording import pages_told, passages_told
from cartrita.domain.errors import CartritaError, NotFound
from cartrita.domain.files import (
    ID_PREFIX,
    FileId,
    FilePage,
    FileStatus,
    StoredFile,
)
from cartrita.domain.messages import Attachment, Message, Part, Role, Text
from cartrita.domain.passages import LONGEST_PASSAGE, FoundPassage, Passage, passages_of
from cartrita.domain.ports.blobs import BlobStore
from cartrita.domain.ports.files import FileStore
from cartrita.kit import ids

log = structlog.get_logger(__name__)

_POLL_S = 0.2
_CITED = 4
"""Passages of one file, at most."""
_MOST_CITED = 50
"""Passages of all files, for which no more files are looked through: nor are more told."""
_IMAGE_BYTES = 24 << 20
"""Of all images together: as base64 they are the 32 MiB that vendors take in one request."""


class FilledMessages(msgspec.Struct, frozen=True):
    """Messages with what their files hold, and the passages of these that match what was asked.

    Of a file that was named just now, and matches nowhere, it is the beginning. The latest files
    come first, and of each the best passages.
    """

    messages: tuple[Message, ...]
    passages: tuple[FoundPassage, ...]


class FileContext:
    """Puts what files hold into messages.

    `characters` are the most of all text together, and `image_bytes` of all images, each as often
    as it is named; `wait_s` is how long files are waited for that are still being read.
    """

    def __init__(
        self,
        store: FileStore,
        blobs: BlobStore,
        texts: FileTexts,
        *,
        characters: int,
        wait_s: float,
        image_bytes: int = _IMAGE_BYTES,
    ) -> None:
        self._store = store
        self._blobs = blobs
        self._texts = texts
        self._characters = characters
        self._wait_s = wait_s
        self._image_bytes = image_bytes

    async def filled(self, owner_id: str, messages: Sequence[Message]) -> tuple[Message, ...]:
        """The messages with what their files hold. A file that is gone is told of in words."""
        return await self._filled(owner_id, messages, self._room(_question(messages)))

    async def cited(self, owner_id: str, messages: Sequence[Message]) -> "FilledMessages":
        """The same, with the passages of these files that the answer may be based on."""
        room = self._room(_question(messages))
        room.cited = []
        filled = await self._filled(owner_id, messages, room)
        return FilledMessages(filled, tuple(room.cited))

    async def _filled(
        self, owner_id: str, messages: Sequence[Message], room: "_Room"
    ) -> tuple[Message, ...]:
        last = max((n for n, one in enumerate(messages) if one.role is Role.USER), default=-1)
        found: list[Message] = []
        for place, message in reversed([*enumerate(messages)]):
            room.asked_now = place == last
            parts: list[Part] = []
            for part in reversed(message.parts):
                if not is_stored(part):
                    parts.append(part)
                    continue
                parts.append(await self._held(owner_id, part, room))
            found.append(replace(message, parts=tuple(reversed(parts))))
        return tuple(reversed(found))

    async def attached(self, owner_id: str, public_ids: Iterable[str]) -> tuple[Attachment, ...]:
        """Files of an owner as parts of a message. Raises NotFound."""
        found: list[Attachment] = []
        for public_id in dict.fromkeys(public_ids):
            file = await self._find(owner_id, public_id)
            if file is None:
                raise NotFound.of("file")
            found.append(Attachment(file.media_type, attachment_id=public_id, name=file.name))
        return tuple(found)

    async def require(self, owner_id: str, messages: Iterable[Message]) -> None:
        """Raise NotFound unless all files that messages name are there."""
        await self.attached(owner_id, (part.attachment_id or "" for part in named_files(messages)))

    async def loaded(
        self, owner_id: str, public_ids: Sequence[str], question: str
    ) -> list[Text | Attachment]:
        """What files of an owner hold, in this order, for a question. Raises NotFound."""
        parts = {part.attachment_id: part for part in await self.attached(owner_id, public_ids)}
        room = self._room(question)
        return [await self._held(owner_id, parts[public_id], room) for public_id in public_ids]

    def _room(self, question: str) -> "_Room":
        latest = asyncio.get_running_loop().time() + self._wait_s
        return _Room(question, self._characters, self._image_bytes, latest)

    async def _find(self, owner_id: str, public_id: str) -> StoredFile | None:
        identity = ids.parse(ID_PREFIX, public_id)
        return None if identity is None else await self._store.get(owner_id, FileId(identity))

    async def _held(self, owner_id: str, part: Attachment, room: "_Room") -> Text | Attachment:
        public_id = part.attachment_id or ""
        if public_id not in room.files:
            room.files[public_id] = await self._settled(owner_id, public_id, room.latest)
        file = room.files[public_id]
        name = part.name or (file.name if file else "file")
        if file is None:
            return _told(part, f"[The file {name} is not there any more.]")
        if file.status is not FileStatus.READY:
            why = file.reason or "It has not been read yet."
            return _told(part, f"[The file {name} cannot be read. {why}]")
        if file.image_type is not None:
            return await self._image(part, file, room)
        if not file.pages:
            return _told(part, f"[The file {name} is {file.media_type}, which has no text.]")
        if room.characters <= 0:
            return _told(part, f"[The file {name} is left out: there is no room for it.]")
        held = _told(part, await self._text(file, name, room))
        room.characters -= len(held.text)
        return held

    async def _text(self, file: StoredFile, name: str, room: "_Room") -> str:
        left = room.characters
        if file.characters > left and room.question:
            most = left // LONGEST_PASSAGE + 1
            if best := _fitting(await self._best(file, room.question, most), left):
                room.cite(file, name, best[:_CITED])
                return passages_told(file, name, sorted(best, key=_place))
        pages = await self._store.pages(file.owner_id, file.content_id, left)
        if file.characters <= left and room.begin_search(file):
            best = await self._best(file, room.question, _CITED) if room.question else []
            room.cite(file, name, [found.passage for found in best])
        if room.asked_now and not room.cites(file):
            room.cite(file, name, [_beginning(page) for page in pages[:1]])
        return pages_told(file, name, pages, left)

    async def _best(self, file: StoredFile, question: str, most: int) -> list[FoundPassage]:
        """The passages for a question; none where they cannot be searched now."""
        try:
            return await self._texts.best(file.owner_id, question, file.content_id, most)
        except CartritaError as error:
            log.warning("file_not_searched", code=error.code)
            return []

    async def _settled(self, owner_id: str, public_id: str, latest: float) -> StoredFile | None:
        """A file that has been read; if that takes too long, as it is then."""
        loop = asyncio.get_running_loop()
        file = await self._find(owner_id, public_id)
        while file is not None and not file.settled and loop.time() < latest:
            await asyncio.sleep(_POLL_S)
            file = await self._find(owner_id, public_id)
        return file

    async def _image(self, part: Attachment, file: StoredFile, room: "_Room") -> Text | Attachment:
        assert file.image_type is not None
        octets: bytes | None = None
        try:
            if room.octets > 0:
                async with self._blobs.read(file.image_blob) as pieces:
                    octets = await _joined(pieces, room.octets)
        except NotFound:
            return _told(part, f"[The image {file.name} is not there any more.]")
        if octets is None:
            return _told(part, f"[The image {file.name} is left out: there is no room for it.]")
        room.octets -= len(octets)
        url = f"data:{file.image_type};base64,{b64encode(octets).decode()}"
        return replace(
            part, media_type=file.image_type, url=url, attachment_id=None, name=file.name
        )


class _Room:
    """What is left for the files of one request, and those that were found.

    `characters` of text, `octets` of images, and the time of the loop until which they are waited
    for. `cited` gathers the passages that the answer may be based on, or is None where nobody asks;
    `asked_now` tells whether the message that is filled is what the person said last.
    """

    def __init__(self, question: str, characters: int, octets: int, latest: float) -> None:
        self.question = question
        self.characters = characters
        self.octets = octets
        self.latest = latest
        self.files: dict[str, StoredFile | None] = {}
        self.cited: list[FoundPassage] | None = None
        self.asked_now = False
        self._searched: set[FileId] = set()

    def begin_search(self, file: StoredFile) -> bool:
        """Whether a file that is told whole is to be searched now for the question: it is once."""
        if self.cited is None or len(self.cited) >= _MOST_CITED or file.id in self._searched:
            return False
        self._searched.add(file.id)
        return True

    def cite(self, file: StoredFile, name: str, passages: Iterable[Passage]) -> None:
        """Add passages of a file, unless it was told of before."""
        if self.cited is not None and not self.cites(file):
            self.cited.extend(
                FoundPassage(
                    file_id=file.id,
                    content_id=file.content_id,
                    name=name,
                    pages=file.pages,
                    passage=passage,
                )
                for passage in passages
            )

    def cites(self, file: StoredFile) -> bool:
        """Whether there are passages of this file."""
        return any(found.file_id == file.id for found in self.cited or ())


def named_files(messages: Iterable[Message]) -> Iterator[Attachment]:
    """The parts of messages that name a file which is stored here."""
    for message in messages:
        for part in message.parts:
            if is_stored(part):
                yield part


def is_stored(part: Part) -> TypeGuard[Attachment]:
    """Whether a part names a file which is stored here."""
    return isinstance(part, Attachment) and part.url is None and part.attachment_id is not None


def _told(part: Attachment, text: str) -> Text:
    return Text(text, cache=part.cache)


def _question(messages: Sequence[Message]) -> str:
    """What the person said last."""
    for message in reversed(messages):
        if message.role is Role.USER:
            said = "\n".join(part.text for part in message.parts if isinstance(part, Text))
            if said.strip():
                return said
    return ""


def _fitting(best: Sequence[FoundPassage], room: int) -> list[Passage]:
    """As many of the best as there is room for."""
    passages: list[Passage] = []
    for found in best:
        room -= len(found.passage.text)
        if room < 0:
            break
        passages.append(found.passage)
    return passages


def _place(passage: Passage) -> tuple[int, int]:
    return passage.page, passage.number


def _beginning(page: FilePage) -> Passage:
    return next(passages_of(page), Passage(page.number, 1, 0, ""))


async def _joined(pieces: AsyncIterator[bytes], most: int) -> bytes | None:
    """All of them together, or None if they are more than so many bytes."""
    gathered: list[bytes] = []
    async for piece in pieces:
        gathered.append(piece)
        most -= len(piece)
        if most < 0:
            return None
    return b"".join(gathered)

"""Files of owners: what was uploaded, what was read of it, and what is stored of it."""

import re
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NewType
from uuid import UUID

import msgspec

from cartrita.domain.ids import ConversationId
from cartrita.domain.media_types import DOCX, IMAGES, PDF, PPTX, SVG, XLSX
from cartrita.kit import ids
from cartrita.kit.pagination import moment_cursor

FileId = NewType("FileId", UUID)
ContentId = NewType("ContentId", UUID)

ID_PREFIX: Final = "file"
DEFAULT_PURPOSE: Final = "assistants"
_FILE_ID = re.compile(r"file_[0-9a-fA-F]{32}")
_HEADING = re.compile(r"\[File: (.+)\]\n")
_READ_TYPES = frozenset({PDF, DOCX, XLSX, PPTX, SVG, "application/json", "application/jsonl"})


class FileStatus(StrEnum):
    """What became of a file: it waits to be read, is being read, was read, or cannot be read."""

    STORED = "stored"
    READING = "reading"
    READY = "ready"
    UNREADABLE = "unreadable"


class StoredFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of an owner. Files of the same bytes share their content.

    `sha256` is in hexadecimal digits, `size` in bytes. `progress` is the part that was read, to 1;
    `reason` says why it cannot be read. `characters` are those of its text, on so many `pages`.
    `image_type` is the media type of the image that was made of it anew, if it is one. `indexed`
    is the part of its passages that is found by meaning; None without a model for that, or text.
    """

    id: FileId
    owner_id: str
    content_id: ContentId
    name: str
    media_type: str
    size: int
    sha256: str
    status: FileStatus
    created_at: datetime
    purpose: str = DEFAULT_PURPOSE
    expires_at: datetime | None = None
    conversation_id: ConversationId | None = None
    conversation: str | None = None
    reason: str | None = None
    progress: float = 0.0
    pages: int = 0
    characters: int = 0
    image_type: str | None = None
    image_size: int = 0
    indexed: float | None = None

    @property
    def public_id(self) -> str:
        """The id by which callers know it."""
        return ids.public(ID_PREFIX, self.id)

    @property
    def image_blob(self) -> str:
        """The name of the image's bytes: those of the file, where this server made it itself."""
        return image_name(self.content_id) if self.image_size else blob_name(self.content_id)

    @property
    def cursor(self) -> str:
        """The cursor of what follows it in a list."""
        return moment_cursor(self.created_at, self.id)

    @property
    def settled(self) -> bool:
        """Whether it has been read, as far as it can be."""
        return self.status in (FileStatus.READY, FileStatus.UNREADABLE)


class ArrivedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file whose bytes have arrived, under the content's id.

    With an `image_type` it is an image that this server made itself, which is shown as it is.
    """

    content_id: ContentId
    name: str
    media_type: str
    size: int
    sha256: str
    image_type: str | None = None


class FilePurpose(msgspec.Struct, frozen=True, kw_only=True):
    """What a file is for, as its caller says, and how long it is kept; None keeps it."""

    name: str = DEFAULT_PURPOSE
    conversation_id: ConversationId | None = None
    kept_for: timedelta | None = None


class FileQuota(msgspec.Struct, frozen=True):
    """The most files of an owner, and the most bytes that they take together."""

    files: int
    octets: int


class FileUse(msgspec.Struct, frozen=True):
    """The files that an owner has, and the bytes that they take."""

    files: int = 0
    octets: int = 0


class FileFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which files to list; None does not filter."""

    conversation_id: ConversationId | None = None
    purpose: str | None = None
    oldest_first: bool = False


class ReadingClaim(msgspec.Struct, frozen=True):
    """A content that is to be read; its `attempt`, from 1, is no other reader's."""

    content_id: ContentId
    media_type: str
    size: int
    attempt: int


class FilePage(msgspec.Struct, frozen=True):
    """The text of one page, sheet or slide, from 1; of other files, a part of their text."""

    number: int
    text: str


class ReadPage(msgspec.Struct, frozen=True):
    """A page that was read, and how much of the file has been read with it, 0 to 1."""

    page: FilePage
    progress: float


class ReadImage(msgspec.Struct, frozen=True):
    """An image that was made anew, without anything that is not its picture."""

    media_type: str
    octets: bytes


class UnreadableFile(Exception):
    """A file cannot be read; the text is a sentence for its owner."""


def is_read(media_type: str) -> bool:
    """Whether text or an image is made of files of this type."""
    return (
        media_type.startswith("text/")
        or media_type in _READ_TYPES | IMAGES
        or (media_type == "application/xml")
    )


def is_file_id(text: str) -> bool:
    """Whether this may be the id of a file here; those of vendors look different."""
    return _FILE_ID.fullmatch(text) is not None


def file_heading(name: str) -> str:
    """The line before what models are told of a file."""
    return f"[File: {name.replace(']', ')')}]"


def headed_name(text: str) -> str | None:
    """The name of the file that a text with such a heading tells of."""
    found = _HEADING.match(text)
    return None if found is None else found[1]


def blob_name(content_id: ContentId) -> str:
    """The name under which the bytes of a content are stored."""
    return content_id.hex


def image_name(content_id: ContentId) -> str:
    """The name under which the image is stored that was made of a content anew."""
    return f"{content_id.hex}-image"


def blob_names(content_id: ContentId) -> tuple[str, ...]:
    """All names under which anything of a content may be stored."""
    return blob_name(content_id), image_name(content_id)

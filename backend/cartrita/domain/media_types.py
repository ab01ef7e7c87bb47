"""What a file is, by its first bytes: the word of whoever sends it is not believed.

A name's ending only chooses among kinds of text, which all look alike, and among the documents that
are ZIP archives.
"""

import re
from collections.abc import Iterable
from types import MappingProxyType
from typing import Final

from cartrita.kit.file_names import ending_of

HEAD_BYTES: Final = 64 << 10
"""So many of the first bytes are looked at."""
UNKNOWN: Final = "application/octet-stream"
PLAIN_TEXT: Final = "text/plain"
PDF: Final = "application/pdf"
DOCX: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PPTX: Final = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
HTML: Final = "text/html"
SVG: Final = "image/svg+xml"
ZIP: Final = "application/zip"
IMAGES: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
"""Those that are made anew before anybody is shown them."""
OFFICE: Final = MappingProxyType({".docx": DOCX, ".xlsx": XLSX, ".pptx": PPTX})
_OFFICE_FOLDERS = ((b"word/", DOCX), (b"xl/", XLSX), (b"ppt/", PPTX))
_SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"%PDF-", PDF),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (8, b"WAVE", "audio/wav"),
    (0, b"fLaC", "audio/flac"),
    (0, b"OggS", "audio/ogg"),
    (0, b"ID3", "audio/mpeg"),
    (4, b"ftypM4A", "audio/mp4"),
    (4, b"ftyp", "video/mp4"),
    (0, b"\x1a\x45\xdf\xa3", "video/webm"),
    (0, b"PK\x03\x04", ZIP),
    (0, b"\x1f\x8b", "application/gzip"),
    (0, b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (0, b"Rar!\x1a\x07", "application/vnd.rar"),
    (0, b"\x7fELF", "application/x-executable"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
)
_RIFF = frozenset({"image/webp", "audio/wav"})
_MPEG_FRAME = re.compile(rb"\xff[\xe2\xe3\xf2\xf3\xfa\xfb]")
_BLANKS = re.compile(rb"\s*")
_MARKUP = re.compile(rb"(?i)<(!doctype\s+html|html|head|body|script|svg|!doctype\s+svg)\b")
_TEXT_BY_ENDING: Final = MappingProxyType(
    {
        ".md": "text/markdown",
        ".markdown": "text/markdown",
        ".csv": "text/csv",
        ".tsv": "text/tab-separated-values",
        ".json": "application/json",
        ".jsonl": "application/jsonl",
        ".ndjson": "application/jsonl",
        ".xml": "application/xml",
        ".html": HTML,
        ".htm": HTML,
        ".xhtml": HTML,
        ".svg": SVG,
    }
)
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")


def sniffed_type(head: bytes, name: str) -> str:
    """The media type of a file that begins with these bytes; `UNKNOWN` if it is none we know."""
    head = head[:HEAD_BYTES]
    for offset, signature, media_type in _SIGNATURES:
        if head.startswith(signature, offset) and (
            media_type not in _RIFF or head.startswith(b"RIFF")
        ):
            return _archive(head, name) if media_type == ZIP else media_type
    if _MPEG_FRAME.match(head):
        return "audio/mpeg"
    return _text_type(head, name) if is_text(head) else UNKNOWN


def is_text(head: bytes) -> bool:
    """Whether bytes can be the beginning of text in UTF-8, UTF-16 with its mark, or Latin-1."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return len(head) % 2 == 0 or len(head) >= HEAD_BYTES
    return _CONTROLS.search(head) is None


def is_inline(media_type: str) -> bool:
    """Whether a browser may show a file of this type as it was sent: what it can only play."""
    return media_type.startswith(("audio/", "video/"))


def _archive(head: bytes, name: str) -> str:
    """A document, if the archive has a document's parts, or at least their index and its name."""
    for folder, media_type in _OFFICE_FOLDERS:
        if folder in head:
            return media_type
    return OFFICE.get(ending_of(name), ZIP) if b"[Content_Types].xml" in head else ZIP


def _text_type(head: bytes, name: str) -> str:
    head = head.removeprefix(b"\xef\xbb\xbf")
    markup = _MARKUP.match(head, _first_tag(head))
    if markup:
        return SVG if markup[1].lower().endswith(b"svg") else HTML
    return _TEXT_BY_ENDING.get(ending_of(name), PLAIN_TEXT)


def _first_tag(head: bytes) -> int:
    """Where blanks, comments and a declaration of XML end. Each byte is looked at once."""
    at = 0
    while True:
        blanks = _BLANKS.match(head, at)
        at = blanks.end() if blanks else at
        if head.startswith(b"<!--", at):
            end = head.find(b"-->", at + 2) + 3
        elif head[at : at + 5].lower() == b"<?xml":
            end = head.find(b">", at) + 1
        else:
            return at
        if end <= at:
            return len(head)
        at = end


def allows(patterns: Iterable[str], media_type: str) -> bool:
    """Whether a type is among these: `image/*` has all images, and `*/*` everything."""
    kind = media_type.partition("/")[0]
    return any(one in ("*/*", media_type, f"{kind}/*") for one in patterns)

"""Names of files that callers send, as they are stored and shown."""

import re
import unicodedata
from typing import Final

from cartrita.kit.text import storable_text

LONGEST: Final = 255
"""In bytes of UTF-8, as file systems have it."""
UNNAMED: Final = "file"
_LONGEST_ENDING = 16
_FOLDERS = re.compile(r"[/\\]")
_DIRECTIONS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Marks that change the order in which a name is read: `gpj.exe` is not a picture."""


def safe_name(given: str) -> str:
    """The name without folders, control characters and marks of direction, of at most `LONGEST`.

    The ending of a name that is cut stays. What has no name is called `file`.
    """
    name = _FOLDERS.split(storable_text(given))[-1]
    kept = "".join(one for one in name if not _is_hidden(one))
    kept = " ".join(unicodedata.normalize("NFC", kept).split()).strip(". ")
    return _cut(kept) or UNNAMED


def ending_of(name: str) -> str:
    """The ending of a name in lower case, `.pdf`; empty without one."""
    _, dot, ending = name.rpartition(".")
    return f".{ending.lower()}" if dot and 0 < len(ending) < _LONGEST_ENDING else ""


def _is_hidden(character: str) -> bool:
    return character in _DIRECTIONS or unicodedata.category(character) in ("Cc", "Cs", "Co", "Cn")


def _cut(name: str) -> str:
    octets = name.encode()
    if len(octets) <= LONGEST:
        return name
    ending = ending_of(name).encode()
    if len(ending) > _LONGEST_ENDING * 4:
        ending = b""
    stem = octets[: LONGEST - len(ending)].decode(errors="ignore").rstrip(". ")
    return stem + ending.decode()

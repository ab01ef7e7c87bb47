"""Documents that are ZIP archives of XML parts, read within bounds."""

import zipfile
from collections.abc import Iterator
from typing import Any, BinaryIO, Final, cast

from defusedxml.ElementTree import iterparse

from cartrita.adapters.file_reading.orders import ReadingBounds
from cartrita.domain.files import UnreadableFile

_RATIO: Final = 200
"""XML of real documents shrinks to a tenth; what shrinks to less than this is a bomb."""
_SMALL: Final = 1 << 20
"""So many bytes may shrink as far as they want."""


class Archive:
    """The parts of a document.

    Raises UnreadableFile for what is no archive or unpacks to too much.
    """

    def __init__(self, file: BinaryIO, bounds: ReadingBounds) -> None:
        try:
            self._zip = zipfile.ZipFile(file)
            members = self._zip.infolist()
        except (zipfile.BadZipFile, RuntimeError, ValueError):
            raise UnreadableFile("It is damaged: its archive cannot be opened.") from None
        if len(members) > bounds.archive_members:
            raise UnreadableFile(f"It consists of more than {bounds.archive_members:,} parts.")
        if sum(member.file_size for member in members) > bounds.archive_bytes:
            raise UnreadableFile(f"It unpacks to more than {bounds.archive_bytes:,} bytes.")
        if any(map(_is_bomb, members)):
            raise UnreadableFile("It unpacks to far more than a document does.")
        if any(member.flag_bits & 1 for member in members):
            raise UnreadableFile("It is protected by a password.")
        self.names = frozenset(member.filename for member in members)

    def elements(self, name: str, *, starts: bool = False) -> Iterator[tuple[str, str, Any]]:
        """Each element of a part at its end (at its start, too, with `starts`).

        As its event, its name without namespace, and itself; it is emptied afterwards. A part that
        is not there has none.
        """
        if name not in self.names:
            return
        events = ("start", "end") if starts else ("end",)
        with self._zip.open(name) as part:
            for event, element in cast("Any", iterparse)(part, events=events, forbid_dtd=True):
                yield event, element.tag.rpartition("}")[2], element
                if event == "end":
                    element.clear()

    def relations(self, name: str) -> dict[str, str]:
        """The parts that a part refers to, by the ids that it has for them."""
        folder, _, file = name.rpartition("/")
        found: dict[str, str] = {}
        for _, tag, element in self.elements(f"{folder}/_rels/{file}.rels"):
            if tag == "Relationship":
                target = element.get("Target", "")
                resolved = target.lstrip("/") if target.startswith("/") else f"{folder}/{target}"
                found[element.get("Id", "")] = resolved
        return found


def _is_bomb(member: zipfile.ZipInfo) -> bool:
    return member.file_size > _SMALL and member.file_size > _RATIO * member.compress_size


def attribute(element: Any, name: str) -> str | None:  # noqa: ANN401 - an element of XML
    """The value of the attribute of this name in a namespace, whichever it is."""
    for key, value in element.attrib.items():
        if key.endswith("}" + name):
            return value
    return None

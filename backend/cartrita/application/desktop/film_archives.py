"""Films as archives: what was done as lines of JSON, and the pictures."""

from collections.abc import AsyncGenerator
from typing import Final
from zipfile import ZIP_STORED, ZipFile, ZipInfo

import msgspec

from cartrita.application.desktop.films import Films
from cartrita.domain.desktop import DesktopSession
from cartrita.domain.desktop_films import FilmFrame
from cartrita.domain.files import ID_PREFIX, FileId
from cartrita.domain.json import JsonObject
from cartrita.domain.principals import Principal
from cartrita.kit import clock, ids

_LINES: Final = "film.jsonl"
_FOLDER: Final = "pictures"


class _Written:
    """What a ZIP file has written and nobody has taken yet; it cannot go back in it."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """What is written can still be taken."""

    def taken(self) -> bytes:
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)


async def film_archive(
    films: Films, principal: Principal, session: DesktopSession
) -> AsyncGenerator[bytes]:
    """The ZIP file of a film, piece by piece: no more than one picture is in memory."""
    written = _Written()
    with ZipFile(written, "w", ZIP_STORED) as archive:
        lines: list[bytes] = []
        pictures: dict[FileId, None] = {}
        async for frame in films.frames(principal, session):
            lines.append(msgspec.json.encode(told(frame)) + b"\n")
            pictures |= dict.fromkeys(one for one in (frame.before, frame.after) if one)
        archive.writestr(ZipInfo(_LINES), b"".join(lines))
        for file_id in pictures:
            picture = await films.picture(principal, file_id)
            if picture is not None:
                archive.writestr(ZipInfo(_name(file_id)), picture)
            yield written.taken()
    yield written.taken()


def told(frame: FilmFrame) -> JsonObject:
    """A frame as a line of the film."""
    marker = None if frame.marker is None else msgspec.to_builtins(frame.marker)
    return {
        "index": frame.number,
        "at": clock.iso(frame.at),
        "actor": frame.actor,
        "run_id": None if frame.run_id is None else ids.public("run", frame.run_id),
        "call_id": frame.call_id,
        "action": frame.action,
        "marker": marker,
        "before": None if frame.before is None else _name(frame.before),
        "after": None if frame.after is None else _name(frame.after),
        "duration_ms": frame.duration_ms,
        "approved_by": frame.approved_by,
        "error": frame.error,
    }


def _name(file_id: FileId) -> str:
    return f"{_FOLDER}/{ids.public(ID_PREFIX, file_id)}.png"

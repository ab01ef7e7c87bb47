"""An incremental parser of server-sent events."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

LONGEST_FRAME = 64 * 1024 * 1024
"""In bytes. What never ends must not fill the memory."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One block of a stream; `id` alone moves the reader's cursor, `retry` is in seconds."""

    data: bytes | None
    id: str | None = None
    retry: float | None = None


class Parser:
    """Feed it bytes as they come; it gives the frames that are complete."""

    def __init__(self) -> None:
        self._rest: list[bytes] = []
        self._waiting = 0
        self._held = 0
        self._data: list[bytes] = []
        self._id: str | None = None
        self._retry: float | None = None

    def feed(self, octets: bytes) -> Iterator[Frame]:
        """The frames that these bytes complete. Raises ValueError for an endless one."""
        first, *pieces = octets.split(b"\n")
        self._rest.append(first)
        self._waiting += len(first)
        if self._waiting + self._held > LONGEST_FRAME:
            raise ValueError("An event of the stream does not end.")
        if not pieces:
            return
        pieces.insert(0, b"".join(self._rest))
        self._rest = [pieces.pop()]
        self._waiting = len(self._rest[0])
        for piece in pieces:
            line = piece.removesuffix(b"\r")
            if line:
                self._take(line)
            elif (frame := self._complete()) is not None:
                yield frame

    def _take(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data.append(value)
            self._held += len(value)
        elif name == b"id" and b"\0" not in value:
            self._id = value.decode("utf-8", "replace")
        elif name == b"retry" and value.isdigit() and len(value) < 10:
            self._retry = int(value) / 1000

    def _complete(self) -> Frame | None:
        data = b"\n".join(self._data) if self._data else None
        frame = Frame(data, self._id, self._retry)
        self._clear()
        return None if frame == _EMPTY else frame

    def _clear(self) -> None:
        self._data, self._id, self._retry, self._held = [], None, None, 0


_EMPTY = Frame(None)

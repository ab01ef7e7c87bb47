"""Files to be uploaded, as the bytes of a multipart form."""

from __future__ import annotations

import mimetypes
import os
import secrets
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, TypeAlias

from cartrita_client.errors import UnreadableFile

_PIECE = 256 * 1024
Progress: TypeAlias = Callable[[int, "int | None"], None]
"""Called with how many bytes of the request are sent, and how many there are if that is known."""
FileInput: TypeAlias = "str | os.PathLike[str] | bytes | BinaryIO | tuple[str, bytes | BinaryIO]"
"""A path, the bytes, an open file, or one of the latter two with its name before it."""


@dataclass(frozen=True, slots=True)
class FilePart:
    """One file of a form; `size` is None where it is not known before it has been read."""

    name: str
    source: Path | bytes | BinaryIO
    start: int
    size: int | None

    @classmethod
    def of(cls, given: FileInput) -> FilePart:
        """Raises UnreadableFile for a path that does not lead to a file that can be read."""
        if isinstance(given, tuple):
            name, content = given
            return cls._of_content(name, content)
        if isinstance(given, str | os.PathLike):
            return cls._of_path(Path(given))
        return cls._of_content(Path(str(getattr(given, "name", ""))).name or "file", given)

    @classmethod
    def _of_path(cls, path: Path) -> FilePart:
        try:
            with path.open("rb") as opened:
                found = os.fstat(opened.fileno())
        except (OSError, ValueError) as problem:
            raise _unreadable(str(path), problem) from problem
        regular = path.is_file()
        return cls(path.name, path, 0, found.st_size if regular else None)

    @classmethod
    def _of_content(cls, name: str, content: bytes | BinaryIO) -> FilePart:
        if isinstance(content, bytes | bytearray | memoryview):
            return cls(name, bytes(content), 0, len(content))
        try:
            start = content.tell()
            size = content.seek(0, os.SEEK_END) - start
            content.seek(start)
        except (OSError, ValueError) as problem:
            if getattr(content, "closed", False):
                raise _unreadable(name, problem) from problem
            return cls(name, content, -1, None)
        return cls(name, content, start, size)

    @property
    def rereadable(self) -> bool:
        """Whether it can be read a second time."""
        return self.start >= 0

    def pieces(self) -> Iterator[bytes]:
        """Its bytes. Raises UnreadableFile, also if they are not as many as there were."""
        read = 0
        try:
            with self._opened() as file:
                while piece := file.read(_PIECE):
                    read += len(piece)
                    if self.size is not None and read > self.size:
                        raise self._changed()
                    yield piece
        except (OSError, ValueError) as problem:
            raise _unreadable(self.name, problem) from problem
        if self.size is not None and read != self.size:
            raise self._changed()

    def _changed(self) -> UnreadableFile:
        return UnreadableFile(f"{self.name} changed while it was read: send it again.")

    @contextmanager
    def _opened(self) -> Generator[BinaryIO]:
        if isinstance(self.source, Path):
            with self.source.open("rb") as opened:
                yield opened
        elif isinstance(self.source, bytes):
            yield BytesIO(self.source)
        else:
            if self.rereadable:
                self.source.seek(self.start)
            yield self.source


@dataclass(frozen=True, slots=True)
class Form:
    """A form of texts and files; it can be sent again if each of its files can."""

    fields: Sequence[tuple[str, str]]
    files: Sequence[tuple[str, FilePart]]
    boundary: str
    progress: Progress | None = None

    @classmethod
    def of(
        cls,
        fields: Sequence[tuple[str, str]],
        files: Sequence[tuple[str, FileInput]],
        progress: Progress | None = None,
    ) -> Form:
        """Raises UnreadableFile."""
        parts = [(name, FilePart.of(each)) for name, each in files]
        return cls(fields, parts, secrets.token_hex(16), progress)

    @property
    def repeatable(self) -> bool:
        """Whether it can be sent a second time."""
        return all(part.rereadable for _, part in self.files)

    @property
    def media_type(self) -> str:
        """What it is, as a header says it."""
        return f"multipart/form-data; boundary={self.boundary}"

    @property
    def length(self) -> int | None:
        """How many bytes it has, if that is known."""
        sizes = [part.size for _, part in self.files]
        heads = sum(len(self._head(name, part)) + 2 for name, part in self.files)
        texts = sum(map(len, self._texts()))
        known = [size for size in sizes if size is not None]
        if len(known) < len(sizes):
            return None
        return texts + heads + sum(known) + len(self._end())

    def pieces(self) -> Iterator[bytes]:
        """All its bytes, telling the progress. Raises UnreadableFile."""
        sent, length = 0, self.length
        for piece in self._pieces():
            yield piece
            sent += len(piece)
            if self.progress is not None:
                self.progress(sent, length)

    def _pieces(self) -> Iterator[bytes]:
        yield from self._texts()
        for name, part in self.files:
            yield self._head(name, part)
            yield from part.pieces()
            yield b"\r\n"
        yield self._end()

    def _texts(self) -> Iterator[bytes]:
        for name, value in self.fields:
            head = f'--{self.boundary}\r\nContent-Disposition: form-data; name="{_quoted(name)}"'
            yield f"{head}\r\n\r\n{value}\r\n".encode()

    def _head(self, name: str, part: FilePart) -> bytes:
        media_type = mimetypes.guess_type(part.name)[0] or "application/octet-stream"
        return (
            f"--{self.boundary}\r\nContent-Disposition: form-data; "
            f'name="{_quoted(name)}"; filename="{_quoted(part.name)}"\r\n'
            f"Content-Type: {media_type}\r\n\r\n"
        ).encode("utf-8", "replace")

    def _end(self) -> bytes:
        return f"--{self.boundary}--\r\n".encode()


def _quoted(text: str) -> str:
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def _unreadable(name: str, problem: Exception) -> UnreadableFile:
    reason = getattr(problem, "strerror", None) or str(problem) or type(problem).__name__
    return UnreadableFile(f"{name} cannot be read: {reason}.")

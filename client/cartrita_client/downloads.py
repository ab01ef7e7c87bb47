"""Content that the server sends as a file, for programs that block."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from cartrita_client.connections import Connection
from cartrita_client.content import Head, partial_file, received
from cartrita_client.operations import Call


class Download:
    """The bytes of a file: iterate over them, `read` them whole, or `save` them.

    The request leaves with the first of these, and is made once.
    """

    def __init__(self, connection: Connection, call: Call) -> None:
        self._connection = connection
        self._call = call
        self._pieces = self._run()
        self.head: Head | None = None

    def read(self) -> bytes:
        """All of it."""
        return b"".join(self)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write it to a file, which is there when it is whole. Raises OSError for the disk."""
        with partial_file(Path(path)) as file:
            for piece in self:
                file.write(piece)
        return Path(path)

    def close(self) -> None:
        """Stop it."""
        self._pieces.close()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self._pieces)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _run(self) -> Generator[bytes]:
        with self._connection.opened(self._call) as response:
            self.head = received(response.status_code, response.headers)
            yield from response.iter_bytes()

"""PostgreSQL's log in the data directory: a new file for each start, a few older ones kept."""

import os
from pathlib import Path
from typing import IO

_KEPT = 3
_READ_BYTES = 65_536


def open_fresh(path: Path) -> IO[bytes]:
    """Move `path` to `path.1` and so on, then open it anew for its owner only."""
    if path.exists() and path.stat().st_size:
        for number in range(_KEPT - 1, 0, -1):
            older = _numbered(path, number)
            if older.exists():
                older.replace(_numbered(path, number + 1))
        path.replace(_numbered(path, 1))
    return open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


def tail(path: Path) -> str:
    """The end of a log, as text."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _READ_BYTES))
        return file.read().decode("utf-8", "replace")


def _numbered(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.{number}")

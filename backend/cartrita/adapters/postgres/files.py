"""Durable writing of files and folders, and rotated logs."""

import os
import secrets
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

_CONCURRENT_FSYNCS = 32
_OLD_LOGS = 3
_TAIL_BYTES = 65_536


def fsync_tree(top: Path) -> None:
    """Flush everything below a folder to the disk.

    Many files at once, so that the disk's flushes merge: beside other writers the thousand files of
    a new database took 8 s one after another, and 0.3 s concurrently. (`sync` would wait for those
    writers too.)
    """
    found = os.walk(top)
    paths = [Path(folder, name) for folder, _, names in found for name in (".", *names)]
    with ThreadPoolExecutor(_CONCURRENT_FSYNCS) as pool:
        for _ in pool.map(fsync, (path for path in paths if not path.is_symlink())):
            pass  # the iteration raises what an fsync raised


def fsync(path: Path) -> None:
    """Flush one file, or the entries of one folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_private(path: Path, text: str) -> None:
    """Write a file with mode 0600 atomically: complete on the disk, or not there."""
    draft = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def open_log(path: Path) -> IO[bytes]:
    """Rotate `path` to `path.1` and so on, then open a new file with mode 0600."""
    if path.exists() and path.stat().st_size:
        for number in range(_OLD_LOGS - 1, 0, -1):
            older = _numbered(path, number)
            if older.exists():
                older.replace(_numbered(path, number + 1))
        path.replace(_numbered(path, 1))
    return open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


def read_tail(path: Path) -> str:
    """The last 64 KiB of a log, as text."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _TAIL_BYTES))
        return file.read().decode("utf-8", "replace")


def _numbered(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.{number}")

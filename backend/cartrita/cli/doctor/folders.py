"""Checks the data directory and the log file: rights, and room on their disks."""

import os
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final
from uuid import uuid4

from cartrita.cli.doctor.findings import Finding, ok, problem, warning
from cartrita.settings import Settings

FreeBytes = Callable[[Path], int]

_LITTLE: Final = 1 << 30
_TOO_LITTLE: Final = 100 << 20
_PRIVATE: Final = ("secret", "postgres.password")
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def free_bytes(path: Path) -> int:
    """The room on the disk of a path."""
    return shutil.disk_usage(path).free


def examine_folders(settings: Settings, free: FreeBytes = free_bytes) -> Iterator[Finding]:
    """The data directory, what is private in it, its disk, and the folder of the log file."""
    folder = settings.data_dir
    if not folder.exists():
        yield ok("data directory", f"{folder} is made at the first start.")
        yield _room("disk", _nearest(folder), free)
    else:
        yield _writable("data directory", folder, "CARTRITA_DATA_DIR")
        yield from _privacy(folder)
        yield _room("disk", folder, free)
    if (log := settings.logging.file) is not None:
        yield _log_file(log)


def _nearest(folder: Path) -> Path:
    return next(parent for parent in folder.parents if parent.exists())


def _writable(name: str, folder: Path, variable: str) -> Finding:
    """Whether a file can be made, written and removed there: rights alone do not tell."""
    probe = folder / f".doctor-{uuid4().hex}"
    try:
        probe.write_bytes(b"x" * 4096)
    except OSError as error:
        fix = f"Give it to the user of the server, make room, or name another with {variable}."
        return problem(name, f"{folder} cannot be written to ({error.strerror}).", fix)
    finally:
        with suppress(OSError):
            probe.unlink()
    return ok(name, f"{folder} can be written to.")


def _privacy(folder: Path) -> Iterator[Finding]:
    for path in (folder / name for name in _PRIVATE):
        with suppress(OSError):
            if path.stat().st_mode & _OTHERS:
                yield problem("secrets", f"Others may read {path}.", f"Run: chmod 600 {path}")


def _room(name: str, folder: Path, free: FreeBytes) -> Finding:
    room = free(folder)
    told = f"{room / (1 << 30):.1f} GiB are free at {folder}."
    if room < _TOO_LITTLE:
        return problem(name, told, "Make room: PostgreSQL stops when there is none.")
    if room < _LITTLE:
        return warning(name, told, "Make room before it runs out.")
    return ok(name, told)


def _log_file(path: Path) -> Finding:
    """Whether it can be opened, if it is there, or made; nothing is written to it."""
    fix = "Name a file in a folder that exists, for the server's user, with CARTRITA_LOG_FILE."
    if not path.exists():
        if path.parent.is_dir() and os.access(path.parent, os.W_OK | os.X_OK):
            return ok("log file", f"{path} is made when the server starts.")
        return problem("log file", f"{path.parent} is no folder that can be written to.", fix)
    if path.is_file() and os.access(path, os.W_OK):
        return ok("log file", f"{path} can be written to.")
    return problem("log file", f"{path} cannot be written to.", fix)

"""What PostgreSQL's own words mean for the person who reads ours."""

import os
import re
from pathlib import Path

from cartrita.adapters.postgres.errors import (
    DataDirectoryUnwritable,
    DiskFull,
    PostgresError,
    StartFailed,
)

_TOO_LITTLE_BYTES = 1 << 20
# A disk may also fill up in the middle of a write, which then is short and no error of the system.
_FULL = re.compile(r"No space left on device|Disk quota exceeded|wrote only \d+ of \d+ bytes")
_UNWRITABLE = re.compile(r"Read-only file system|Permission denied|Operation not permitted")
_FATAL = re.compile(r"\b(?:FATAL|PANIC|initdb: error|postgres: error):\s*(.+)")
# What it answers to us while we wait for it: true, and never the reason.
_ANSWERED = re.compile(r"^.*FATAL:\s*the database system is .*\n?", re.MULTILINE)
_PREFIX = re.compile(r"^[\d:. -]+UTC \[\d+\] ")


def refusal(what: str, said: str, cluster: Path, log_dir: Path) -> PostgresError:
    """The refusal that a log or an error output amounts to."""
    if _FULL.search(said):
        return DiskFull(cluster)
    for folder in (cluster, log_dir):
        if _is_full(folder):
            return DiskFull(folder)
    unwritable = _UNWRITABLE.search(said)
    if unwritable:
        return DataDirectoryUnwritable(cluster, unwritable[0])
    return StartFailed(f"{what}: {last_words(said)}")


def _is_full(folder: Path) -> bool:
    """Looked at as well, since a server on a full disk has nowhere to write its complaint."""
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize < _TOO_LITTLE_BYTES


def last_words(said: str) -> str:
    """The last line that says why, else the last line at all."""
    said = _ANSWERED.sub("", said)
    fatal = _FATAL.findall(said)
    if fatal:
        return fatal[-1].strip()
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return _PREFIX.sub("", lines[-1]) if lines else "it said nothing"

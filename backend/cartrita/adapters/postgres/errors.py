"""Errors of the embedded database, each with one sentence that its owner can act on.

PostgresError
├── PostgresUnavailable             no PostgreSQL on this machine that we can run
├── OsUserUnusable                  the user that PostgreSQL should run as cannot do it
├── DataDirectoryError              a problem with the data directory
│   ├── DataDirectoryInUse          another process holds it (`pid`)
│   ├── DataDirectoryUnwritable     read-only, or owned by another user
│   ├── DataDirectoryInaccessible   PostgreSQL's user cannot enter a folder above it
│   ├── DiskFull
│   ├── ClusterMissing              initialised once, and its files are gone or not a cluster's
│   ├── MajorVersionMismatch        written by another major version (`found`, `running`)
│   └── PasswordMissing             the database is there, its password file is not
├── StartFailed                     PostgreSQL or initdb exited with an error
│   └── StartTimeout                or never became ready
└── BackupError
    ├── BackupExists                the target exists already
    ├── BackupFailed                pg_dump could not finish
    ├── NotABackup                  the source is not a dump, or a damaged one
    ├── DatabaseNotEmpty            restoring needs an empty database
    └── RestoreFailed               nothing was restored
"""

import errno
import os
import re
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from cartrita.kit.operator_error import OperatorError

_DISK_FULL_ERRNOS = frozenset({errno.ENOSPC, errno.EDQUOT})
_DISK_FULL_BYTES = 1 << 20
# A disk may also fill up in the middle of a write: then it is a short write, not an OS error.
_DISK_FULL = re.compile(r"No space left on device|Disk quota exceeded|wrote only \d+ of \d+ bytes")
_UNWRITABLE = re.compile(r"Read-only file system|Permission denied|Operation not permitted")
_FATAL = re.compile(r"\b(?:FATAL|PANIC|initdb: error|postgres: error):\s*(.+)")
# Logged for our own readiness probes; never the reason for a failed start.
_PROBE_REJECTED = re.compile(r"^.*FATAL:\s*the database system is .*\n?", re.MULTILINE)
_LOG_PREFIX = re.compile(r"^[\d:. -]+UTC \[\d+\] ")


class PostgresError(OperatorError):
    """The root of this tree."""


class PostgresUnavailable(PostgresError):
    """No PostgreSQL on this machine that we can run."""


class OsUserUnusable(PostgresError):
    """The user that PostgreSQL should run as cannot do it."""


class DataDirectoryError(PostgresError):
    """A problem with the data directory."""


class DataDirectoryInUse(DataDirectoryError):
    """Another process holds the data directory; `pid` is unknown (None) while it is being taken."""

    def __init__(self, data_dir: Path, pid: int | None) -> None:
        holder = "another process" if pid is None else f"process {pid}"
        super().__init__(
            f"The data directory {data_dir} is in use by {holder}: stop it, "
            "or give this one another directory with CARTRITA_DATA_DIR."
        )
        self.pid = pid


class DataDirectoryUnwritable(DataDirectoryError):
    """Read-only, or owned by another user."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"Cannot write to {path} ({reason}): make it writable for this user, "
            "or choose another directory with CARTRITA_DATA_DIR."
        )


class DataDirectoryInaccessible(DataDirectoryError):
    """The user that PostgreSQL runs as cannot enter a folder above the database."""

    def __init__(self, path: Path, name: str) -> None:
        super().__init__(
            f"The user {name}, as whom PostgreSQL runs, cannot enter {path}: "
            "open the folders above it again (chmod o+x), or move the data directory."
        )


class DiskFull(DataDirectoryError):
    """No space left for the database."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"No space is left on the disk that holds {path}: free some and start again."
        )


class ClusterMissing(DataDirectoryError):
    """It was initialised once, and its files are gone or not those of a PostgreSQL cluster."""


class MajorVersionMismatch(DataDirectoryError):
    """The data directory was written by another major version of PostgreSQL."""

    def __init__(self, cluster: Path, found: int, running: int) -> None:
        super().__init__(
            f"{cluster} was written by PostgreSQL {found} and the binaries here are PostgreSQL "
            f"{running}: run `cartrita backup FILE`, move {cluster} away, "
            "then run `cartrita restore FILE`."
        )
        self.found = found
        self.running = running


class PasswordMissing(DataDirectoryError):
    """The database is there, its password file is not."""

    def __init__(self, path: Path, cluster: Path) -> None:
        super().__init__(
            f"The password file {path} is missing or empty while its database {cluster} exists: "
            f"put the file back, or move {cluster} away to begin with an empty database."
        )


class StartFailed(PostgresError):
    """PostgreSQL or initdb exited with an error."""


class StartTimeout(StartFailed):
    """PostgreSQL never became ready."""


class BackupError(PostgresError):
    """A backup or a restore failed."""


class BackupExists(BackupError):
    """The target exists already."""


class BackupFailed(BackupError):
    """pg_dump could not finish; no file was left."""


class NotABackup(BackupError):
    """The source is not a dump, or a damaged one."""


class DatabaseNotEmpty(BackupError):
    """Restoring needs an empty database."""


class RestoreFailed(BackupError):
    """pg_restore could not finish; nothing was restored."""


@contextmanager
def translate_os_errors(path: Path) -> Generator[None]:
    """Convert an OSError about `path` into DiskFull or DataDirectoryUnwritable."""
    try:
        yield
    except OSError as error:
        if error.errno in _DISK_FULL_ERRNOS:
            raise DiskFull(path) from error
        raise DataDirectoryUnwritable(
            Path(str(error.filename)) if error.filename else path,
            error.strerror or "no reason given",
        ) from error


def from_output(what: str, output: str, cluster: Path, log_dir: Path) -> PostgresError:
    """The error that a log or the output of initdb amounts to; `what` begins its sentence."""
    if _DISK_FULL.search(output):
        return DiskFull(cluster)
    for folder in (cluster, log_dir):
        if _is_full(folder):
            return DiskFull(folder)
    unwritable = _UNWRITABLE.search(output)
    if unwritable:
        return DataDirectoryUnwritable(cluster, unwritable[0])
    return StartFailed(f"{what}: {last_error_line(output)}")


def last_error_line(output: str) -> str:
    """The last line that gives a cause, else the last line."""
    output = _PROBE_REJECTED.sub("", output)
    fatal = _FATAL.findall(output)
    if fatal:
        return fatal[-1].strip()
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return _LOG_PREFIX.sub("", lines[-1]) if lines else "it said nothing"


def _is_full(folder: Path) -> bool:
    """Checked besides the output, since a server on a full disk cannot write its error to a log."""
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize < _DISK_FULL_BYTES

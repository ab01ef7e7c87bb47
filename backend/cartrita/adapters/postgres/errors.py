"""The ways in which the embedded database refuses, each one sentence that its owner can act on.

PostgresError
├── PostgresUnavailable         no PostgreSQL on this machine that we can run
├── AccountUnusable             the user that PostgreSQL should run as cannot do it
├── DataDirectoryError          something is the matter with the data directory
│   ├── DataDirectoryInUse      another process holds it (`pid`)
│   ├── DataDirectoryUnwritable read-only, or owned by somebody else
│   ├── DataDirectoryClosed     a folder above it is closed to the user that PostgreSQL runs as
│   ├── DiskFull
│   ├── DatabaseMissing         it was initialised once, and its files are gone or are not ours
│   ├── ForeignMajor            written by another major version (`found`, `running`)
│   └── PasswordMissing         the database is there, its password file is not
├── StartFailed                 PostgreSQL or initdb ended by itself
│   └── StartTimeout            or never became ready
└── BackupError
    ├── BackupExists            the target is there already
    ├── BackupFailed            pg_dump could not finish
    ├── NotABackup              the source is not a dump, or a damaged one
    ├── DatabaseNotEmpty        restoring is for an empty database
    └── RestoreFailed           nothing was restored
"""

import errno
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


class PostgresError(Exception):
    """What the embedded database could not do; its text is the sentence to show."""


class PostgresUnavailable(PostgresError):
    """No PostgreSQL on this machine that we can run."""


class AccountUnusable(PostgresError):
    """The user that PostgreSQL should run as cannot do it."""


class DataDirectoryError(PostgresError):
    """Something is the matter with the data directory."""


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
    """Read-only, or owned by somebody else."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"Cannot write to {path} ({reason}): make it writable for this user, "
            "or choose another directory with CARTRITA_DATA_DIR."
        )


class DataDirectoryClosed(DataDirectoryError):
    """A folder above the database is closed to the user that PostgreSQL runs as."""

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


class DatabaseMissing(DataDirectoryError):
    """It was initialised once, and its files are gone or are not a database of ours."""


class ForeignMajor(DataDirectoryError):
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
    """PostgreSQL or initdb ended by itself."""


class StartTimeout(StartFailed):
    """PostgreSQL never became ready."""


class BackupError(PostgresError):
    """A backup or a restore that was not done."""


class BackupExists(BackupError):
    """The target is there already."""


class BackupFailed(BackupError):
    """pg_dump could not finish; no file was left."""


class NotABackup(BackupError):
    """The source is not a dump, or a damaged one."""


class DatabaseNotEmpty(BackupError):
    """Restoring is for an empty database."""


class RestoreFailed(BackupError):
    """pg_restore could not finish; nothing was restored."""


@contextmanager
def refusing_os_errors(path: Path) -> Generator[None]:
    """What the system says about `path` becomes a refusal with a sentence."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise DiskFull(path) from error
        raise DataDirectoryUnwritable(
            Path(str(error.filename)) if error.filename else path,
            error.strerror or "no reason given",
        ) from error

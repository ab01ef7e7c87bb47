"""Backup of a database to one file with pg_dump, restore with pg_restore."""

import os
from pathlib import Path
from secrets import token_hex

import structlog

from cartrita.adapters.postgres import psql, subprocesses
from cartrita.adapters.postgres.binaries import Binaries
from cartrita.adapters.postgres.endpoints import DatabaseEndpoint
from cartrita.adapters.postgres.errors import (
    BackupExists,
    BackupFailed,
    DatabaseNotEmpty,
    NotABackup,
    RestoreFailed,
    translate_os_errors,
)

# Without owners and privileges: the role may have another name where it is restored.
_PORTABLE = ("--no-owner", "--no-privileges", "--no-password")
_TABLES = """
SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
"""
log = structlog.get_logger(__name__)


def backup(
    endpoint: DatabaseEndpoint, binaries: Binaries, target: Path, *, overwrite: bool = False
) -> None:
    """Write a consistent dump to `target` (mode 0600) atomically; the database stays in use.

    Raises BackupError, DiskFull or DataDirectoryUnwritable.
    """
    target = target.absolute()
    require_absent(target, overwrite=overwrite)
    draft = target.with_name(f".{target.name}-{token_hex(4)}")
    with translate_os_errors(target.parent):
        try:
            os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            _dump(endpoint, binaries, draft)
            require_absent(target, overwrite=overwrite)
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)
    log.info("postgres_backed_up", target=str(target), bytes=target.stat().st_size)


def restore(endpoint: DatabaseEndpoint, binaries: Binaries, source: Path) -> None:
    """Restore a dump into an empty database in one transaction. Raises BackupError.

    Extensions are left out: nothing that is stored needs one, and only superusers may create them.
    """
    source = source.absolute()
    contents = _contents(binaries, source)
    _require_empty(endpoint, binaries)
    wanted = [line for line in contents.splitlines() if " EXTENSION " not in line]
    done = subprocesses.run(
        [
            binaries.program("pg_restore"),
            "--single-transaction",
            *_PORTABLE,
            "--use-list=/dev/stdin",
            f"--dbname={endpoint.conninfo()}",
            source,
        ],
        text="\n".join(wanted),
        variables=psql.password_variable(endpoint),
    )
    if not done.ok:
        raise RestoreFailed(
            f"Nothing was restored from {source} ({_reason(done)}): "
            "the file may be damaged; try another backup."
        )
    log.info("postgres_restored", source=str(source))


def _dump(endpoint: DatabaseEndpoint, binaries: Binaries, draft: Path) -> None:
    done = subprocesses.run(
        [
            binaries.program("pg_dump"),
            "--format=custom",
            "--no-unlogged-table-data",  # the cache of answers
            *_PORTABLE,
            f"--file={draft}",
            f"--dbname={endpoint.conninfo()}",
        ],
        variables=psql.password_variable(endpoint),
    )
    if not done.ok:
        raise BackupFailed(f"The backup of {endpoint} was not made: {_reason(done)}.")


def require_absent(target: Path, *, overwrite: bool) -> None:
    """Raise BackupExists if there is something that may not be overwritten."""
    if target.exists() and not overwrite:
        raise BackupExists(f"{target} exists already: choose another name, or say to overwrite it.")


def _contents(binaries: Binaries, source: Path) -> str:
    """What a dump holds, a line each."""
    if not source.is_file():
        raise NotABackup(f"There is no file {source}.")
    listed = subprocesses.run([binaries.program("pg_restore"), "--list", source])
    if not listed.ok:
        raise NotABackup(f"{source} is not a backup that can be read: {_reason(listed)}.")
    return listed.stdout


def _require_empty(endpoint: DatabaseEndpoint, binaries: Binaries) -> None:
    try:
        tables = int(psql.run(binaries, endpoint, _TABLES))
    except psql.QueryFailed as error:
        raise RestoreFailed(f"{endpoint} cannot be reached ({error}).") from error
    if tables:
        raise DatabaseNotEmpty(
            f"{endpoint} is not empty, and a restore never mixes with what is there: "
            "restore into a new data directory or database."
        )


def _reason(done: subprocesses.Completed) -> str:
    """The first error (it causes the others), without the program's name."""
    errors = [line for line in done.stderr.splitlines() if "error:" in line]
    line = errors[0] if errors else done.last_line
    return line.rpartition("error: ")[2].strip().rstrip(".")

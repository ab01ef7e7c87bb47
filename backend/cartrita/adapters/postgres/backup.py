"""A database in one file, and back: the way to another machine, and across a major version."""

import os
from pathlib import Path
from secrets import token_hex

import structlog

from cartrita.adapters.postgres import children, psql
from cartrita.adapters.postgres.binaries import Binaries
from cartrita.adapters.postgres.endpoints import Endpoint
from cartrita.adapters.postgres.errors import (
    BackupExists,
    BackupFailed,
    DatabaseNotEmpty,
    NotABackup,
    RestoreFailed,
    refusing_os_errors,
)

# Owners and rights stay behind: the role may have another name where it is restored.
_PORTABLE = ("--no-owner", "--no-privileges", "--no-password")
_TABLES = """
SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
"""
_log = structlog.get_logger(__name__)


def backup(
    endpoint: Endpoint, binaries: Binaries, target: Path, *, overwrite: bool = False
) -> None:
    """Write a consistent dump to `target` (mode 0600), whole or not at all, while work goes on."""
    target = target.absolute()
    _refuse_existing(target, overwrite=overwrite)
    draft = target.with_name(f".{target.name}-{token_hex(4)}")
    with refusing_os_errors(target.parent):
        try:
            os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            _dump(endpoint, binaries, draft)
            _refuse_existing(target, overwrite=overwrite)
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)
    _log.info("postgres_backed_up", target=str(target), bytes=target.stat().st_size)


def restore(endpoint: Endpoint, binaries: Binaries, source: Path) -> None:
    """Read a dump into an empty database, all of it or nothing."""
    source = source.absolute()
    _refuse_strange(binaries, source)
    _refuse_full(endpoint, binaries)
    done = children.run(
        [
            binaries.program("pg_restore"),
            "--single-transaction",
            *_PORTABLE,
            f"--dbname={endpoint.conninfo()}",
            source,
        ],
        variables=psql.password_variable(endpoint),
    )
    if not done.ok:
        raise RestoreFailed(
            f"Nothing was restored from {source} ({_reason(done)}): "
            "the file may be damaged; try another backup."
        )
    _log.info("postgres_restored", source=str(source))


def _dump(endpoint: Endpoint, binaries: Binaries, draft: Path) -> None:
    done = children.run(
        [
            binaries.program("pg_dump"),
            "--format=custom",
            *_PORTABLE,
            f"--file={draft}",
            f"--dbname={endpoint.conninfo()}",
        ],
        variables=psql.password_variable(endpoint),
    )
    if not done.ok:
        raise BackupFailed(f"The backup of {endpoint} was not made: {_reason(done)}.")


def _refuse_existing(target: Path, *, overwrite: bool) -> None:
    if target.exists() and not overwrite:
        raise BackupExists(f"{target} exists already: choose another name, or say to overwrite it.")


def _refuse_strange(binaries: Binaries, source: Path) -> None:
    if not source.is_file():
        raise NotABackup(f"There is no file {source}.")
    listed = children.run([binaries.program("pg_restore"), "--list", source])
    if not listed.ok:
        raise NotABackup(f"{source} is not a backup that can be read: {_reason(listed)}.")


def _refuse_full(endpoint: Endpoint, binaries: Binaries) -> None:
    try:
        tables = int(psql.run(binaries, endpoint, _TABLES))
    except psql.QueryFailed as error:
        raise RestoreFailed(f"{endpoint} cannot be reached ({error}).") from error
    if tables:
        raise DatabaseNotEmpty(
            f"{endpoint} is not empty, and a restore never mixes with what is there: "
            "restore into a new data directory or database."
        )


def _reason(done: children.Completed) -> str:
    """What went wrong, without the program's name; the first error is the cause of the others."""
    errors = [line for line in done.stderr.splitlines() if "error:" in line]
    line = errors[0] if errors else done.last_line
    return line.rpartition("error: ")[2].strip().rstrip(".")

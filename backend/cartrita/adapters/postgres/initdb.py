"""Creating a database cluster with initdb, atomically."""

import shutil
import subprocess
from pathlib import Path
from secrets import token_hex

import structlog

from cartrita.adapters.postgres import errors, files, subprocesses
from cartrita.adapters.postgres.binaries import Binaries
from cartrita.adapters.postgres.data_layout import DataLayout
from cartrita.adapters.postgres.errors import StartFailed
from cartrita.adapters.postgres.os_users import OsUser
from cartrita.kit.secret import Secret

SUPERUSER = "postgres"
_DRAFT = "postgres.new-"
_TIMEOUT_S = 300
# The builtin provider sorts the same on every machine, independent of the C library.
_BUILTIN_PROVIDER_SINCE = 17
# Tried in this order; the last one exists everywhere.
_LOCALES = ("C.UTF-8", "en_US.UTF-8", "C")
log = structlog.get_logger(__name__)


def create(layout: DataLayout, binaries: Binaries, password: Secret) -> None:
    """Initialise in a draft folder beside the final one, then rename it. Raises PostgresError."""
    parent = layout.cluster.parent
    draft = parent / f"{_DRAFT}{token_hex(4)}"
    draft.mkdir(0o700)
    try:
        files.write_private(draft / "password", password.reveal() + "\n")
        for path in (draft / "password", draft):
            layout.user.chown(path)
        _initialise(draft, binaries, layout.user)
        files.fsync_tree(draft / "data")
        (draft / "data").rename(layout.cluster)
        files.fsync(parent)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    log.info("postgres_initialised", cluster=str(layout.cluster), major=binaries.major)


def remove_drafts(layout: DataLayout) -> None:
    """Remove the drafts of interrupted attempts.

    An initdb whose parent was killed may still be writing: the rest is removed at the next start.
    """
    for draft in layout.cluster.parent.glob(f"{_DRAFT}*"):
        shutil.rmtree(draft, ignore_errors=True)


def _initialise(draft: Path, binaries: Binaries, user: OsUser) -> None:
    output = ""
    for locale in _LOCALES:
        words = [*_command(binaries, locale), "--pwfile", draft / "password", "-D", draft / "data"]
        try:
            done = subprocesses.run(words, user=user, timeout_s=_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            raise StartFailed(
                f"initdb was not done with {draft} after {_TIMEOUT_S} seconds: "
                "the disk is too slow, choose another directory with CARTRITA_DATA_DIR."
            ) from None
        if done.ok:
            return
        output = done.stderr
        if "locale" not in output:
            break
    raise errors.from_output("initdb failed", output, draft.parent, draft.parent)


def _command(binaries: Binaries, locale: str) -> list[str | Path]:
    words: list[str | Path] = [
        binaries.program("initdb"),
        f"--username={SUPERUSER}",
        "--auth=scram-sha-256",
        "--data-checksums",
        "--no-sync",  # files.fsync_tree does it, faster
        "--encoding=UTF8",
        f"--locale={locale}",
    ]
    if binaries.major >= _BUILTIN_PROVIDER_SINCE:
        words += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return words

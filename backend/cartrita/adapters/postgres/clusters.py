"""Making a database's files with initdb: whole, or not at all."""

import shutil
import subprocess
from pathlib import Path
from secrets import token_hex

import structlog

from cartrita.adapters.postgres import children, diagnosis, durability, passwords
from cartrita.adapters.postgres.accounts import Account
from cartrita.adapters.postgres.binaries import Binaries
from cartrita.adapters.postgres.errors import StartFailed
from cartrita.adapters.postgres.places import Place
from cartrita.kit.secret import Secret

SUPERUSER = "postgres"
_DRAFT = "postgres.new-"
_TIMEOUT_S = 300
# The builtin provider sorts the same on every machine, whatever its C library is or becomes.
_BUILTIN_PROVIDER_SINCE = 17
# What the C library calls it; the last one exists everywhere.
_LOCALES = ("C.UTF-8", "en_US.UTF-8", "C")
_log = structlog.get_logger(__name__)


def create(place: Place, binaries: Binaries, password: Secret) -> None:
    """Initialise in a draft folder beside the final one, then rename."""
    parent = place.cluster.parent
    draft = parent / f"{_DRAFT}{token_hex(4)}"
    draft.mkdir(0o700)
    try:
        passwords.write_private(draft / "password", password.reveal() + "\n")
        for path in (draft / "password", draft):
            place.account.own(path)
        _initialise(draft, binaries, place.account)
        durability.sync_all(draft / "data")
        (draft / "data").rename(place.cluster)
        durability.sync(parent)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    _log.info("postgres_initialised", cluster=str(place.cluster), major=binaries.major)


def sweep(place: Place) -> None:
    """Remove the drafts of interrupted attempts.

    An initdb whose parent was killed may still be writing: what is left now goes at the next start.
    """
    for draft in place.cluster.parent.glob(f"{_DRAFT}*"):
        shutil.rmtree(draft, ignore_errors=True)


def _initialise(draft: Path, binaries: Binaries, account: Account) -> None:
    complaint = ""
    for locale in _LOCALES:
        words = [*_command(binaries, locale), "--pwfile", draft / "password", "-D", draft / "data"]
        try:
            done = children.run(words, account=account, timeout_s=_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            raise StartFailed(
                f"initdb was not done with {draft} after {_TIMEOUT_S} seconds: "
                "the disk is too slow, choose another directory with CARTRITA_DATA_DIR."
            ) from None
        if done.ok:
            return
        complaint = done.stderr
        if "locale" not in complaint:
            break
    raise diagnosis.refusal("initdb failed", complaint, draft.parent, draft.parent)


def _command(binaries: Binaries, locale: str) -> list[str | Path]:
    words: list[str | Path] = [
        binaries.program("initdb"),
        f"--username={SUPERUSER}",
        "--auth=scram-sha-256",
        "--data-checksums",
        "--no-sync",  # durability.sync_all does it, faster
        "--encoding=UTF8",
        f"--locale={locale}",
    ]
    if binaries.major >= _BUILTIN_PROVIDER_SINCE:
        words += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return words

"""A copy of the wheel's binaries for a user who cannot reach them in root's closed home."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from secrets import token_hex

import structlog

from cartrita.adapters.postgres import children, durability, folders
from cartrita.adapters.postgres.accounts import Account
from cartrita.adapters.postgres.binaries import Binaries
from cartrita.adapters.postgres.errors import AccountUnusable

_UNNEEDED = shutil.ignore_patterns("include", "*.a")  # only for compiling against it
_log = structlog.get_logger(__name__)


def reachable(binaries: Binaries, account: Account, outside: Sequence[Path]) -> Binaries:
    """These binaries, or a copy of them in one of `outside` that the account can run."""
    if _runs(binaries, account):
        return binaries
    if binaries.carried:
        copy = _copied(binaries, folders.enterable(outside, account))
        if _runs(copy, account):
            return copy
    raise AccountUnusable(
        f"The user {account.name} cannot run {binaries.program('postgres')}: "
        "let that user read it, start Cartrita as an ordinary user, or set CARTRITA_DATABASE_URL."
    )


def _runs(binaries: Binaries, account: Account) -> bool:
    if not account.switched:
        return True
    try:
        command = [binaries.program("postgres"), "--version"]
        return children.run(command, account=account, timeout_s=10).ok
    except (OSError, subprocess.TimeoutExpired):
        return False


def _copied(binaries: Binaries, outside: Path) -> Binaries:
    """The copy in a folder named after its release; made once, whole or not at all."""
    target = outside / binaries.release
    if not target.is_dir():
        draft = outside / f".{binaries.release}-{token_hex(4)}"
        try:
            for folder in binaries.carried:
                # The same layout: programs find their libraries relative to themselves.
                shutil.copytree(
                    folder,
                    draft / folder.relative_to(binaries.root),
                    symlinks=True,
                    ignore=_UNNEEDED,
                )
            _open_to_read(draft)
            durability.sync_all(draft)  # a power cut must not leave empty programs behind
            _publish(draft, target)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    folder = target / binaries.folder.relative_to(binaries.root)
    return replace(binaries, folder=folder, root=target, carried=())


def _publish(draft: Path, target: Path) -> None:
    try:
        draft.rename(target)
    except OSError:
        if not target.is_dir():  # else another process was faster, with the same content
            raise
    _log.info("postgres_binaries_copied", folder=str(target))


def _open_to_read(copy: Path) -> None:
    # Whoever installed the wheel may have had a umask that closed it to others.
    for parent, _, names in os.walk(copy):
        Path(parent).chmod(0o755)
        for path in (Path(parent) / name for name in names):
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)

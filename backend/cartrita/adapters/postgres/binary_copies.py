"""A copy of the wheel's binaries for a user who cannot read them in root's home."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from secrets import token_hex

import structlog

from cartrita.adapters.postgres import data_layout, files, subprocesses
from cartrita.adapters.postgres.binaries import Binaries
from cartrita.adapters.postgres.errors import OsUserUnusable
from cartrita.adapters.postgres.os_users import OsUser

_UNNEEDED = shutil.ignore_patterns("include", "*.a")  # only for compiling against it
log = structlog.get_logger(__name__)


def ensure_runnable(binaries: Binaries, user: OsUser, fallbacks: Sequence[Path]) -> Binaries:
    """These binaries, or a copy of them in one of `fallbacks`, that the user can run.

    Raises OsUserUnusable or DataDirectoryInaccessible.
    """
    if _runs(binaries, user):
        return binaries
    if binaries.copied_folders:
        copy = _copy(binaries, data_layout.first_enterable(fallbacks, user))
        if _runs(copy, user):
            return copy
    raise OsUserUnusable(
        f"The user {user.name} cannot run {binaries.program('postgres')}: "
        "let that user read it, start Cartrita as an ordinary user, or set CARTRITA_DATABASE_URL."
    )


def _runs(binaries: Binaries, user: OsUser) -> bool:
    if not user.drop_privileges:
        return True
    try:
        command = [binaries.program("postgres"), "--version"]
        return subprocesses.run(command, user=user, timeout_s=10).ok
    except (OSError, subprocess.TimeoutExpired):
        return False


def _copy(binaries: Binaries, parent: Path) -> Binaries:
    """The copy in a folder named after its release, created once and atomically."""
    target = parent / binaries.release
    if not target.is_dir():
        draft = parent / f".{binaries.release}-{token_hex(4)}"
        try:
            for folder in binaries.copied_folders:
                # In the same layout: programs find their libraries by relative paths.
                shutil.copytree(
                    folder,
                    draft / folder.relative_to(binaries.root),
                    symlinks=True,
                    ignore=_UNNEEDED,
                )
            _make_readable(draft)
            files.fsync_tree(draft)  # a power cut must not leave empty files
            _rename(draft, target)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    folder = target / binaries.folder.relative_to(binaries.root)
    return replace(binaries, folder=folder, root=target, copied_folders=())


def _rename(draft: Path, target: Path) -> None:
    try:
        draft.rename(target)
    except OSError:
        if not target.is_dir():  # another process may have made the same copy
            raise
    log.info("postgres_binaries_copied", folder=str(target))


def _make_readable(copy: Path) -> None:
    # Whoever installed the wheel may have had a umask that closed it to others.
    for parent, _, names in os.walk(copy):
        Path(parent).chmod(0o755)
        for path in (Path(parent) / name for name in names):
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)

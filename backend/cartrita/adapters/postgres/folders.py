"""Folders of our own outside the data directory, for a user who cannot enter it."""

import os
import stat
import subprocess
import tempfile
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from cartrita.adapters.postgres import children
from cartrita.adapters.postgres.accounts import Account
from cartrita.adapters.postgres.errors import AccountUnusable, DataDirectoryClosed

# Only root needs them. /var/tmp outlives a restart of the machine; the last is better than none.
OUTSIDE = (
    Path("/var/lib/cartrita"),
    Path("/var/tmp/cartrita-root"),  # noqa: S108  # made with mkdir and checked for its owner
    Path(tempfile.gettempdir()) / "cartrita-root",
)


def can_enter(folder: Path, account: Account) -> bool:
    """Asked of the system as that user: modes, access lists and mounts all have a say."""
    if not account.switched:
        return os.access(folder, os.X_OK)
    try:
        return children.run(["/bin/sh", "-c", 'cd -- "$1"', "sh", folder], account=account).ok
    except (OSError, subprocess.SubprocessError) as error:
        raise AccountUnusable(
            f"Cannot run PostgreSQL as the user {account.name} ({error}): start Cartrita as an "
            "ordinary user, or set CARTRITA_DATABASE_URL."
        ) from error


def short_name(path: Path) -> str:
    """A short name for a path, the same each time."""
    return sha256(os.fsencode(path)).hexdigest()[:12]


def enterable(candidates: Sequence[Path], account: Account) -> Path:
    """The first of `candidates` that is ours (made now or earlier) and open to the account."""
    for folder in candidates:
        if claim(folder, 0o755) and can_enter(folder, account):
            return folder
    raise DataDirectoryClosed(candidates[0], account.name)


def claim(folder: Path, mode: int, owner: Account | None = None) -> bool:
    """Make the folder, or find it made by us: nobody else may own it or write into it."""
    mask = os.umask(0)  # the mode is exact from the first moment on: no chmod, no window
    try:
        folder.mkdir(mode)
        if owner:
            owner.own(folder)
    except FileExistsError:
        found = folder.lstat()
        wanted = os.geteuid() if owner is None else owner.uid
        private = not found.st_mode & (0o022 if mode & 0o055 else 0o077)
        return stat.S_ISDIR(found.st_mode) and found.st_uid == wanted and private
    except OSError:
        return False
    finally:
        os.umask(mask)
    return True


def make_data_dir(folder: Path) -> None:
    """The data directory, private where it is new."""
    mode = 0o711 if os.geteuid() == 0 else 0o700  # root's PostgreSQL passes through, no more
    folder.mkdir(mode=mode, parents=True, exist_ok=True)

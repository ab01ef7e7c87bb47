"""Where the database's files lie, and who owns and may enter the folders above them.

Normally that is `<data_dir>/postgres`. A root user's data directory is often in a home that no
other user may enter; then the files lie in a fallback directory and `<data_dir>/postgres` is a
symbolic link to them, which records the choice (and lets a user put the database on another disk).
"""

import os
import stat
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from cartrita.adapters.postgres import os_users, subprocesses
from cartrita.adapters.postgres.errors import (
    ClusterMissing,
    DataDirectoryInaccessible,
    DataDirectoryUnwritable,
    OsUserUnusable,
    translate_os_errors,
)
from cartrita.adapters.postgres.os_users import OsUser

# Only root needs them. /var/tmp survives a reboot; the last one may not.
FALLBACK_DIRECTORIES = (
    Path("/var/lib/cartrita"),
    Path("/var/tmp/cartrita-root"),  # noqa: S108  # made with mkdir and checked for its owner
    Path(tempfile.gettempdir()) / "cartrita-root",
)


@dataclass(frozen=True)
class DataLayout:
    """The cluster's folder (PostgreSQL's PGDATA), which may not exist yet, and its owner."""

    cluster: Path
    user: OsUser

    @property
    def exists(self) -> bool:
        return (self.cluster / "PG_VERSION").exists()

    @property
    def major(self) -> int:
        """The major version that wrote it."""
        return _major(self.cluster)


def find_cluster(data_dir: Path) -> Path | None:
    """The folder of an existing database; None where there is none yet. Raises ClusterMissing."""
    entry = data_dir / "postgres"
    cluster = Path(os.path.realpath(entry))
    if entry.is_symlink() and not cluster.is_dir():
        raise ClusterMissing(
            f"The database of {data_dir} was in {cluster}, which is gone: bring it back, "
            f"or remove the link {entry} to begin with an empty database."
        )
    if not cluster.is_dir() or not any(cluster.iterdir()):
        return None
    if not (cluster / "PG_VERSION").exists():
        raise ClusterMissing(
            f"{cluster} is not a PostgreSQL data directory: move it away, "
            "or choose another directory with CARTRITA_DATA_DIR."
        )
    return cluster


def major_of(data_dir: Path) -> int | None:
    """The major version that wrote this data directory's database; None where there is none."""
    with translate_os_errors(data_dir):
        cluster = find_cluster(data_dir)
        return None if cluster is None else _major(cluster)


def resolve(data_dir: Path, run_as: str, fallbacks: Sequence[Path]) -> DataLayout:
    """The layout of the existing database, or of the one to create.

    Raises DataDirectoryError or OsUserUnusable where it cannot be used.
    """
    cluster = find_cluster(data_dir)
    if cluster:
        return _existing(cluster)
    user = os_users.choose(run_as)
    if can_enter(data_dir, user):
        return DataLayout(data_dir / "postgres", user)
    home = first_enterable(fallbacks, user) / path_hash(data_dir)
    if not claim_directory(home, 0o711):
        raise DataDirectoryUnwritable(home, "it belongs to somebody else")
    return DataLayout(home / "postgres", user)


def link_cluster(data_dir: Path, layout: DataLayout) -> None:
    """Create the symbolic link in the data directory where the cluster lies elsewhere."""
    entry = data_dir / "postgres"
    if entry.is_symlink() or Path(os.path.realpath(entry)) == layout.cluster:
        return
    if entry.is_dir():
        entry.rmdir()  # an empty one; anything else was refused by find_cluster()
    entry.symlink_to(layout.cluster)


def _major(cluster: Path) -> int:
    return int((cluster / "PG_VERSION").read_text().strip().split(".")[0])


def _existing(cluster: Path) -> DataLayout:
    owner = cluster.stat().st_uid
    if owner == 0:
        raise OsUserUnusable(
            f"{cluster} belongs to root, as whom PostgreSQL does not run: "
            "give it to the user who made it (chown -R)."
        )
    if os.geteuid() not in (0, owner):
        raise DataDirectoryUnwritable(cluster, f"it belongs to the user number {owner}")
    user = os_users.from_uid(owner)
    if not can_enter(cluster, user):
        raise DataDirectoryInaccessible(cluster, user.name)
    return DataLayout(cluster, user)


def can_enter(folder: Path, user: OsUser) -> bool:
    """Whether the user may enter the folder.

    Tried as that user, since modes, access lists and mounts all decide. Raises OsUserUnusable.
    """
    if not user.drop_privileges:
        return os.access(folder, os.X_OK)
    try:
        return subprocesses.run(["/bin/sh", "-c", 'cd -- "$1"', "sh", folder], user=user).ok
    except (OSError, subprocess.SubprocessError) as error:
        raise OsUserUnusable(
            f"Cannot run PostgreSQL as the user {user.name} ({error}): start Cartrita as an "
            "ordinary user, or set CARTRITA_DATABASE_URL."
        ) from error


def path_hash(path: Path) -> str:
    """A short, stable name for a path."""
    return sha256(os.fsencode(path)).hexdigest()[:12]


def first_enterable(candidates: Sequence[Path], user: OsUser) -> Path:
    """The first of `candidates` that we own (created if absent) and that the user may enter.

    Raises DataDirectoryInaccessible.
    """
    for folder in candidates:
        if claim_directory(folder, 0o755) and can_enter(folder, user):
            return folder
    raise DataDirectoryInaccessible(candidates[0], user.name)


def claim_directory(folder: Path, mode: int, owner: OsUser | None = None) -> bool:
    """Create the folder; True also where it exists, is the owner's and is writable by no other."""
    mask = os.umask(0)  # the mode is exact from the first moment on: no chmod, no window
    try:
        folder.mkdir(mode)
        if owner:
            owner.chown(folder)
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
    """Create the data directory, with a private mode where it is new."""
    mode = 0o711 if os.geteuid() == 0 else 0o700  # PostgreSQL's user only passes through
    folder.mkdir(mode=mode, parents=True, exist_ok=True)

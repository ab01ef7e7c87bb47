"""Where the database's files lie, and whom they belong to.

Ordinarily that is `<data_dir>/postgres`. A root user's data directory is often in a home that
nobody else may enter; then the files lie outside and `<data_dir>/postgres` is a symbolic link to
them, which is the record of the choice (and a way to put the database on another disk by hand).
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cartrita.adapters.postgres import accounts, folders
from cartrita.adapters.postgres.accounts import Account
from cartrita.adapters.postgres.errors import (
    AccountUnusable,
    DatabaseMissing,
    DataDirectoryClosed,
    DataDirectoryUnwritable,
    refusing_os_errors,
)


@dataclass(frozen=True)
class Place:
    """The folder of the database (PostgreSQL's PGDATA), which may not exist yet, and its owner."""

    cluster: Path
    account: Account

    @property
    def exists(self) -> bool:
        return (self.cluster / "PG_VERSION").exists()

    @property
    def major(self) -> int:
        """The major version that wrote it."""
        return _major(self.cluster)


def locate(data_dir: Path) -> Path | None:
    """The folder of an existing database; None where there is none yet."""
    entry = data_dir / "postgres"
    cluster = Path(os.path.realpath(entry))
    if entry.is_symlink() and not cluster.is_dir():
        raise DatabaseMissing(
            f"The database of {data_dir} was in {cluster}, which is gone: bring it back, "
            f"or remove the link {entry} to begin with an empty database."
        )
    if not cluster.is_dir() or not any(cluster.iterdir()):
        return None
    if not (cluster / "PG_VERSION").exists():
        raise DatabaseMissing(
            f"{cluster} is not a PostgreSQL data directory: move it away, "
            "or choose another directory with CARTRITA_DATA_DIR."
        )
    return cluster


def major_of(data_dir: Path) -> int | None:
    """The major version that wrote this data directory's database; None where there is none."""
    with refusing_os_errors(data_dir):
        cluster = locate(data_dir)
        return None if cluster is None else _major(cluster)


def settle(data_dir: Path, run_as: str, outside: Sequence[Path]) -> Place:
    """Where the database is, or where it shall be."""
    cluster = locate(data_dir)
    if cluster:
        return _existing(cluster)
    account = accounts.choose(run_as)
    if folders.can_enter(data_dir, account):
        return Place(data_dir / "postgres", account)
    home = folders.enterable(outside, account) / folders.short_name(data_dir)
    if not folders.claim(home, 0o711):
        raise DataDirectoryUnwritable(home, "it belongs to somebody else")
    return Place(home / "postgres", account)


def record(data_dir: Path, place: Place) -> None:
    """Leave the link in the data directory when the database lies elsewhere."""
    entry = data_dir / "postgres"
    if entry.is_symlink() or Path(os.path.realpath(entry)) == place.cluster:
        return
    if entry.is_dir():
        entry.rmdir()  # an empty one; anything else was refused by locate()
    entry.symlink_to(place.cluster)


def _major(cluster: Path) -> int:
    return int((cluster / "PG_VERSION").read_text().strip().split(".")[0])


def _existing(cluster: Path) -> Place:
    owner = cluster.stat().st_uid
    if owner == 0:
        raise AccountUnusable(
            f"{cluster} belongs to root, as whom PostgreSQL does not run: "
            "give it to the user who made it (chown -R)."
        )
    if os.geteuid() not in (0, owner):
        raise DataDirectoryUnwritable(cluster, f"it belongs to the user number {owner}")
    account = accounts.of_owner(owner)
    if not folders.can_enter(cluster, account):
        raise DataDirectoryClosed(cluster, account.name)
    return Place(cluster, account)

"""The user that PostgreSQL runs as: ourselves, or, since it refuses root, somebody else."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from cartrita.adapters.postgres.errors import AccountUnusable

if sys.platform != "win32":
    import pwd


@dataclass(frozen=True)
class Account:
    """A user of this machine; `switched` says that we are root and children must become it."""

    name: str
    uid: int
    gid: int
    switched: bool

    @property
    def user(self) -> int | None:
        """For `subprocess(user=)`."""
        return self.uid if self.switched else None

    @property
    def group(self) -> int | None:
        """For `subprocess(group=)`."""
        return self.gid if self.switched else None

    @property
    def extra_groups(self) -> list[int] | None:
        """For `subprocess(extra_groups=)`: none of root's."""
        return [] if self.switched else None

    def own(self, path: Path) -> None:
        """Give it a file or folder that we have just created."""
        if self.switched:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)


def choose(run_as: str) -> Account:
    """Ourselves; as root `run_as`, because PostgreSQL refuses root (and is right)."""
    if os.geteuid() != 0:
        return of_owner(os.geteuid())
    try:
        entry = pwd.getpwnam(run_as)
    except KeyError:
        raise AccountUnusable(
            f"There is no user {run_as} on this machine for PostgreSQL to run as: name one that "
            "exists, start Cartrita as an ordinary user, or set CARTRITA_DATABASE_URL."
        ) from None
    if entry.pw_uid == 0:
        raise AccountUnusable(
            f"PostgreSQL does not run as {run_as}: name a user without privileges, "
            "or set CARTRITA_DATABASE_URL."
        )
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, switched=True)


def of_owner(uid: int) -> Account:
    """The user with this number; initdb insists on a name, and so do we."""
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        raise AccountUnusable(
            f"The user with the number {uid} has no name on this machine, which PostgreSQL wants: "
            "add it to /etc/passwd, or set CARTRITA_DATABASE_URL."
        ) from None
    return Account(entry.pw_name, uid, entry.pw_gid, switched=os.geteuid() != uid)

"""The operating system user that PostgreSQL runs as: the current one, or another for root."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from cartrita.adapters.postgres.errors import OsUserUnusable

if sys.platform != "win32":
    import pwd


@dataclass(frozen=True)
class OsUser:
    """A user of this machine; `drop_privileges` means that we are root and children become it."""

    name: str
    uid: int
    gid: int
    drop_privileges: bool

    @property
    def child_uid(self) -> int | None:
        """For `subprocess(user=)`; None keeps the current one."""
        return self.uid if self.drop_privileges else None

    @property
    def child_gid(self) -> int | None:
        """For `subprocess(group=)`; None keeps the current one."""
        return self.gid if self.drop_privileges else None

    @property
    def child_groups(self) -> list[int] | None:
        """For `subprocess(extra_groups=)`: none of root's; None keeps the current ones."""
        return [] if self.drop_privileges else None

    def chown(self, path: Path) -> None:
        """Make this user the owner of a file or folder that we have just created."""
        if self.drop_privileges:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)


def choose(run_as: str) -> OsUser:
    """The current user, or `run_as` when we are root, since PostgreSQL refuses to run as root.

    Raises OsUserUnusable.
    """
    if os.geteuid() != 0:
        return from_uid(os.geteuid())
    try:
        entry = pwd.getpwnam(run_as)
    except KeyError:
        raise OsUserUnusable(
            f"There is no user {run_as} on this machine for PostgreSQL to run as: name one that "
            "exists, start Cartrita as an ordinary user, or set CARTRITA_DATABASE_URL."
        ) from None
    if entry.pw_uid == 0:
        raise OsUserUnusable(
            f"PostgreSQL does not run as {run_as}: name a user without privileges, "
            "or set CARTRITA_DATABASE_URL."
        )
    return OsUser(entry.pw_name, entry.pw_uid, entry.pw_gid, drop_privileges=True)


def from_uid(uid: int) -> OsUser:
    """The user with this number. Raises OsUserUnusable where it has no name: initdb needs one."""
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        raise OsUserUnusable(
            f"The user with the number {uid} has no name on this machine, which PostgreSQL wants: "
            "add it to /etc/passwd, or set CARTRITA_DATABASE_URL."
        ) from None
    return OsUser(entry.pw_name, uid, entry.pw_gid, drop_privileges=os.geteuid() != uid)

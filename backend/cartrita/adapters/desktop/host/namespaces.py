"""Namespaces of a host: its processes end with it, and sockets of its X server lie in memory."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from cartrita.adapters.processes import system_calls
from cartrita.adapters.processes.system_calls import (
    NEW_IPC,
    NEW_MOUNTS,
    NEW_NETWORK,
    NEW_PROCESSES,
    NEW_USERS,
)

X_DIRECTORY: Final = Path("/tmp/.X11-unix")  # noqa: S108 - where X clients look for sockets
_NAMESPACES: Final = NEW_MOUNTS | NEW_PROCESSES | NEW_IPC


def leave(*, network: bool) -> None:
    """Leave those of the server, but for the `network` if it is kept.

    The next child is the first process of a new one, and all of its processes end with it. X
    clients connect by names that belong to a network, before they look for files: in one of its own
    no other X server can be taken for that of the desktop. Raises OSError.
    """
    _share(X_DIRECTORY)
    left = _NAMESPACES if network else _NAMESPACES | NEW_NETWORK
    if os.geteuid():
        _become_user_of_namespace(left)
    else:
        system_calls.unshare(left)
    system_calls.make_mounts_private()


def settle() -> None:
    """As that first process, see only processes of one's own, and no other's X servers."""
    system_calls.mount("proc", "/proc")
    system_calls.mount("tmpfs", str(X_DIRECTORY), "size=64k,mode=1777")


def _share(directory: Path) -> None:
    """Make it for the X servers of all users of the machine, unless it is there."""
    with suppress(FileExistsError):
        directory.mkdir()
        directory.chmod(0o1777)  # which a mask of the process does not take away


def _become_user_of_namespace(left: int) -> None:
    """Take namespaces in which this user may mount, and is still itself."""
    user, group = os.geteuid(), os.getegid()
    system_calls.unshare(left | NEW_USERS)
    Path("/proc/self/setgroups").write_text("deny", "ascii")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1", "ascii")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1", "ascii")

"""What the programs of a desktop are shut in with, as the command lines that do it."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple, Protocol

from cartrita.adapters.desktop import remnants
from cartrita.adapters.desktop.host.namespaces import X_DIRECTORY
from cartrita.adapters.desktop.orders import HostOrder
from cartrita.adapters.processes import system_calls
from cartrita.adapters.processes.call_filter import family_filter
from cartrita.adapters.processes.memory_files import memory_file
from cartrita.domain.desktop import DesktopIsolation

AUTHORITY: Final = "authority"
"""The name of the file with the cookie of the display."""
HOME: Final = "home"
"""The name of the directory in which programs without walls begin."""
_HOME: Final = "/home/desktop"
_ENVIRONMENT: Final[Mapping[str, str]] = {
    "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/games",
    "LANG": "C.UTF-8",
    "USER": "desktop",
    "LOGNAME": "desktop",
    "SHELL": "/bin/bash",
    "GSETTINGS_BACKEND": "memory",
    "NO_AT_BRIDGE": "1",
    # Scrollbars that fade would be a screen that does not stand still for a second.
    "GTK_OVERLAY_SCROLLING": "0",
}
_SYSTEM: Final = ("/bin", "/sbin", "/lib", "/lib32", "/lib64")
_SETTINGS: Final = (
    "/etc/X11",
    "/etc/alternatives",
    "/etc/fonts",
    "/etc/gtk-3.0",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/mime.types",
    "/etc/xdg",
    "/var/cache/fontconfig",
)
_OF_NETWORKS: Final = ("/etc/hosts", "/etc/resolv.conf", "/etc/ssl", "/etc/ca-certificates")
_OWN_NAMESPACES: Final = (
    *("--unshare-user", "--unshare-pid", "--unshare-uts", "--unshare-cgroup-try"),
    *("--disable-userns", "--hostname", "desktop", "--die-with-parent"),
)
_OWN_SESSION: Final = "setsid"
"""Begun by the command: walls that left the group of their process would not be killed with it."""
_WITHOUT_SIZE: Final = ("--remount-ro", "/dev", "--remount-ro", "/")
"""Directories in memory that have no bound: nothing is written there."""
_ONLY_IF_CHILD: Final = '[ "$PPID" = "$0" ] && exec "$@"'
_FIRST_TO_GO: Final = 900
"""Where the machine has no memory left, the system kills programs of desktops before others."""
_SHARE_OF_DISK: Final = 4
"""Of the memory of a desktop, its home, temporary files and shared ones may each take this part."""


class Command(NamedTuple):
    """A command line, and the files that it reads from its descriptors, once."""

    words: Sequence[str]
    files: tuple[BinaryIO, ...] = ()


class Enclosure(Protocol):
    """Command lines that run other command lines, shut in."""

    @property
    def directory(self) -> Path:
        """Where the cookie is, and the home if it is not in memory."""
        ...

    def screen(self, command: Sequence[str]) -> Command:
        """For the X server, which makes a socket for the display."""
        ...

    def programs(self, command: Sequence[str], display: str) -> Command:
        """For programs that use the display."""
        ...

    def viewer(self, command: Sequence[str], display: str) -> Command:
        """For a program that shows the display."""
        ...


def enclosure(order: HostOrder) -> Enclosure:
    """The one of this order, for children of this process."""
    if order.isolation is DesktopIsolation.BUBBLEWRAP:
        return _Bubblewrap(order)
    return _Plain(order)


def socket_filter() -> bytes | None:
    """The filter that leaves programs the usual sockets; None where none can be made."""
    return family_filter() if system_calls.has_filters() else None


class _Bubblewrap:
    """Each command sees the system's programs, the display, and a home in memory.

    The X server, the programs and each viewer have walls of their own: a program cannot put another
    socket in place of that of the display.
    """

    directory = X_DIRECTORY

    def __init__(self, order: HostOrder) -> None:
        self._order = order
        self._disk = str(order.spec.memory_bytes // _SHARE_OF_DISK)
        number = os.geteuid() if order.user_id is None else order.user_id
        self._users = f"desktop:x:{number}:{number}::{_HOME}:/bin/bash\n".encode()
        self._filter = socket_filter()

    def screen(self, command: Sequence[str]) -> Command:
        place = str(X_DIRECTORY)
        return self._walled(["--bind", place, place], command)

    def programs(self, command: Sequence[str], display: str) -> Command:
        home = ["--perms", "0700", "--size", self._disk, "--tmpfs", _HOME, "--chdir", _HOME]
        users = memory_file(self._users)
        home += ["--ro-bind-data", str(users.fileno()), "/etc/passwd"]
        if self._order.spec.network:
            home += _shown(_OF_NETWORKS)
        return self._walled([*self._display(display), *home], command, users)

    def viewer(self, command: Sequence[str], display: str) -> Command:
        return self._walled(self._display(display), command)

    def _display(self, display: str) -> list[str]:
        place = str(X_DIRECTORY)
        return ["--ro-bind", place, place, *_variables(display, self.directory, _HOME)]

    def _walled(self, more: Sequence[str], command: Sequence[str], *files: BinaryIO) -> Command:
        walls = ["bwrap", *_OWN_NAMESPACES, "--clearenv", "--ro-bind", "/usr", "/usr"]
        for path in _SYSTEM:
            walls += _as_it_is(Path(path))
        walls += [*_shown(_SETTINGS), "--proc", "/proc", "--dev", "/dev"]
        for own in ("/tmp", "/dev/shm"):  # noqa: S108 - its own
            walls += ["--perms", "1777", "--size", self._disk, "--tmpfs", own]
        for hidden in self._order.hidden:
            if Path(hidden).is_relative_to("/usr"):
                walls += ["--tmpfs", hidden, "--remount-ro", hidden]
        walls += [*more, *_WITHOUT_SIZE]
        if self._filter is not None:
            files = (*files, memory_file(self._filter))
            walls += ["--seccomp", str(files[-1].fileno())]
        walls += ["--", _OWN_SESSION]
        return Command([*_as_user(self._order), *walls, *_bounded(self._order), *command], files)


class _Plain:
    """Each command is bounded, and of another user if this process is root's."""

    def __init__(self, order: HostOrder) -> None:
        self._order = order
        self.directory = remnants.place(Path(order.folder).name)

    def screen(self, command: Sequence[str]) -> Command:
        return self._tied(_variables("", self.directory, "/"), command)

    def programs(self, command: Sequence[str], display: str) -> Command:
        home = self.directory / HOME
        return self._tied(_variables(display, self.directory, str(home)), command)

    def viewer(self, command: Sequence[str], display: str) -> Command:
        return self._tied(_variables(display, self.directory, "/"), command)

    def _tied(self, variables: Sequence[str], command: Sequence[str]) -> Command:
        """End with this process, and do not begin without it."""
        given = [f"{name}={value}" for _, name, value in zip(*[iter(variables)] * 3, strict=True)]
        mark = f"{remnants.MARK}={self.directory.name.removeprefix('cartrita-desktop-')}"
        tied = ["/bin/sh", "-c", _ONLY_IF_CHILD, str(os.getpid())]
        user = _as_user(self._order, "--pdeathsig", "KILL")
        return Command([*user, *tied, "env", "-i", mark, *given, *_bounded(self._order), *command])


def _as_user(order: HostOrder, *options: str) -> list[str]:
    number = order.user_id
    user = [] if number is None else [f"--reuid={number}", f"--regid={number}", "--clear-groups"]
    return ["setpriv", *user, "--no-new-privs", *options, "--"]


def _bounded(order: HostOrder) -> list[str]:
    spec = order.spec
    most = [f"--as={spec.memory_bytes}", f"--nproc={spec.processes}", "--core=0", "--nofile=1024"]
    return ["choom", "-n", str(_FIRST_TO_GO), "--", "prlimit", *most, "--"]


def _variables(display: str, directory: Path, home: str) -> list[str]:
    """The environment, as options of bwrap."""
    given = {**_ENVIRONMENT, "XAUTHORITY": str(directory / AUTHORITY), "HOME": home}
    if display:
        given["DISPLAY"] = display
    return [word for name, value in given.items() for word in ("--setenv", name, value)]


def _shown(paths: Sequence[str]) -> list[str]:
    return [word for path in paths for word in ("--ro-bind-try", path, path)]


def _as_it_is(path: Path) -> list[str]:
    """Show a directory of the system as it is, or as the link that it is."""
    if path.is_symlink():
        return ["--symlink", str(path.readlink()), str(path)]
    return _shown([str(path)])

"""The programs and packages that desktops need, and how those that are missing are installed."""

import os
import shutil
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Final

from cartrita.adapters.desktop.host.enclosures import socket_filter
from cartrita.domain.desktop import DesktopIsolation

_PACKAGES: Final[Mapping[str, str]] = {"Xvfb": "xvfb", "openbox": "openbox", "x11vnc": "x11vnc"}
"""By program, the package of Debian that has it; Fedora's are named much the same."""
_OF_ISOLATION: Final[Mapping[DesktopIsolation, Mapping[str, str]]] = {
    DesktopIsolation.BUBBLEWRAP: {**_PACKAGES, "bwrap": "bubblewrap"},
    DesktopIsolation.PLAIN: _PACKAGES,
}
_TOOLS: Final[Mapping[str, str]] = dict.fromkeys(
    ("setpriv", "setsid", "prlimit", "choom"), "util-linux"
)
_EXTRA: Final = (
    "install the extra `desktop`, in a clone with .venv/bin/uv pip install --python .venv "
    "-e 'backend[desktop]'"
)
_NO_APPS: Final = (
    "apt-get install -y mousepad xterm, or name other apps for the menu in CARTRITA_DESKTOP_APPS"
)
_MODULES: Final = ("Xlib", "mss", "PIL")


def missing_lines(
    isolation: DesktopIsolation, container_command: Sequence[str] = ()
) -> tuple[str, ...]:
    """What is missing for desktops of this isolation, mostly as the lines that install it.

    A container has what its image has, if there is what runs it.
    """
    if isolation is DesktopIsolation.CONTAINER:
        return _missing_runner(container_command)
    wanted = {**_OF_ISOLATION[isolation], **_TOOLS}
    packages = sorted({wanted[each] for each in wanted if shutil.which(each) is None})
    lines = [f"apt-get install -y {' '.join(packages)}"] if packages else []
    if any(find_spec(module) is None for module in _MODULES):
        lines.append(_EXTRA)
    return tuple(lines)


def missing_apps(apps: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """What the menu of a desktop names and is not installed here, in sentences."""
    return tuple(
        f"The app {name} is not installed: there is no program {command[0]}. Install it, or take "
        "the app out of CARTRITA_DESKTOP_APPS."
        for name, command in apps.items()
        if shutil.which(command[0]) is None
    )


def missing_menu(apps: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """The same, and what to do where there is no app at all, which an agent could open."""
    return missing_apps(apps) if apps else (_NO_APPS,)


def missing_walls(isolation: DesktopIsolation | None) -> tuple[str, ...]:
    """What an isolation promises and this machine has not, in sentences; desktops start without."""
    if isolation is not DesktopIsolation.BUBBLEWRAP or socket_filter() is not None:
        return ()
    system = os.uname()
    return (
        f"No filter of system calls can be made here ({system.machine}, Linux {system.release}): "
        "programs reach sockets that belong to no network, such as those of the host of a virtual "
        "machine.",
    )


def _missing_runner(command: Sequence[str]) -> tuple[str, ...]:
    if not command:
        return ("Set CARTRITA_DESKTOP_CONTAINER_COMMAND to what runs a container.",)
    if shutil.which(command[0]) is None:
        return (
            f"There is no program {command[0]}, with which CARTRITA_DESKTOP_CONTAINER_COMMAND "
            "begins: install it, or name another.",
        )
    return ()

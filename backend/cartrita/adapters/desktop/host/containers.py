"""What a container has to be like, so that programs in it reach no desktop but their own."""

import os
import re
from pathlib import Path
from typing import Final, NamedTuple

_MOUNTS: Final = Path("/proc/self/mountinfo")
_ESCAPED: Final = re.compile(r"\\([0-7]{3})")


def shortcoming(folder: Path) -> str | None:
    """Why a desktop with this folder is not to run in this one, in a sentence, if so."""
    if os.geteuid() != 0:
        return (
            "Its container does not run as root: programs could not get a user of their own there, "
            "and would use the desktop as its host does."
        )
    if not _is_shown_alone(folder):
        return (
            f"Its container does not show {folder} by itself: mount "
            "{folder}, and not what all desktops have in common."
        )
    return None


class _Mount(NamedTuple):
    """What of a file system is shown where."""

    device: str
    root: Path
    place: Path


def _is_shown_alone(folder: Path) -> bool:
    """Whether it is mounted, and neither what it lies in nor another beside it is seen."""
    lines = _MOUNTS.read_text("utf-8", "surrogateescape").splitlines()
    mounts = [_mount(line) for line in lines]
    own = next((mount for mount in mounts if mount.place == folder.resolve()), None)
    if own is None or os.listdir(folder.parent) != [folder.name]:
        return False
    same = [mount.root for mount in mounts if mount.device == own.device and mount.root != own.root]
    return not any(root in own.root.parents or root.parent == own.root.parent for root in same)


def _mount(line: str) -> _Mount:
    _, _, device, root, place = line.split()[:5]
    return _Mount(device, Path(_unescaped(root)), Path(_unescaped(place)))


def _unescaped(path: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1], 8)), path)

"""What a container has to be like, so that programs in it reach no desktop but their own."""

import os
import re
from pathlib import Path
from typing import Final

_MOUNTS: Final = Path("/proc/self/mountinfo")
_PLACE: Final = 4
"""The field of a line that has where something is mounted."""
_ESCAPED: Final = re.compile(r"\\([0-7]{3})")


def shortcoming(folder: Path) -> str | None:
    """Why a desktop with this folder is not to run in this one, in a sentence, if so."""
    if os.geteuid() != 0:
        return (
            "Its container does not run as root: programs could not get a user of their own there, "
            "and would use the desktop as its host does."
        )
    if not _is_mounted(folder) or os.listdir(folder.parent) != [folder.name]:
        return (
            f"Its container does not show {folder} by itself: mount "
            "{folder}, and not what all desktops have in common."
        )
    return None


def _is_mounted(folder: Path) -> bool:
    lines = _MOUNTS.read_text("utf-8", "surrogateescape").splitlines()
    return str(folder.resolve()) in {_unescaped(line.split()[_PLACE]) for line in lines}


def _unescaped(path: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1], 8)), path)

"""Users of desktops: each has one of its own where the server is root's."""

import secrets
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from cartrita.adapters.desktop import remnants
from cartrita.domain.errors import Unavailable

NUMBERS: Final = range(61_184, 65_520)
"""Those that systemd too gives to users who exist for a while only."""


def unused() -> int:
    """One that has no process and no directory of a desktop. Raises Unavailable."""
    used = set(_used())
    free = [number for number in NUMBERS if number not in used]
    if not free:
        raise Unavailable(
            "All system users for desktops are taken: end one of the desktops first.",
            code="desktop_unavailable",
        )
    return secrets.choice(free)


def _used() -> Iterator[int]:
    directories = remnants.place("")
    for paths in (
        Path("/proc").glob("[0-9]*"),
        directories.parent.glob(f"{directories.name}*"),
    ):
        for path in paths:
            with suppress(OSError):
                yield path.lstat().st_uid

"""Segments of shared memory that no process has attached: they would outlive who made them."""

import ctypes
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from cartrita.adapters.processes import system_calls

_TABLE: Final = Path("/proc/sysvipc/shm")
_REMOVE: Final = 0


def trim(most: int) -> int:
    """Remove all of this namespace if they are more together: how many bytes are left."""
    found = dict(_unattached())
    if sum(found.values()) <= most:
        return sum(found.values())
    return sum(size for number, size in found.items() if not _removed(number))


def _unattached() -> Iterator[tuple[int, int]]:
    """Their numbers and sizes in memory."""
    with suppress(OSError):
        names, *rows = (line.split() for line in _TABLE.read_text("ascii").splitlines())
        for row in rows:
            segment: Mapping[str, str] = dict(zip(names, row, strict=True))
            if segment["nattch"] == "0":
                yield int(segment["shmid"]), int(segment["rss"]) + int(segment["swap"])


def _removed(number: int) -> bool:
    try:
        system_calls.call("shmctl", ctypes.c_int(number), ctypes.c_int(_REMOVE), None)
    except OSError:
        return False
    return True

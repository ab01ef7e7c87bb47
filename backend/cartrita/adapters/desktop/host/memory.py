"""The memory of a desktop: if all of its programs use too much, the largest is killed."""

import asyncio
import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import Final

from cartrita.adapters.desktop.host import lineage

_LOOK_S: Final = 1.0
_OWN: Final = ("RssAnon:", "RssShmem:")
"""What a process has for itself, or shares with others of its desktop, in kB."""


async def watch(most: int) -> None:
    """Look again and again, until cancelled. `most` is in bytes."""
    while True:
        await asyncio.sleep(_LOOK_S)
        relieve(most)


def relieve(most: int) -> int | None:
    """Kill the largest program below this process if all of them use more: its process id."""
    sizes = {process: _size(process) for process in lineage.descendants()}
    if sum(sizes.values()) <= most:
        return None
    largest = max(sizes, key=lambda process: sizes[process])
    with suppress(ProcessLookupError):
        os.kill(largest, signal.SIGKILL)
    return largest


def _size(process: int) -> int:
    with suppress(OSError):
        lines = Path(f"/proc/{process}/status").read_text("ascii", "replace").splitlines()
        return sum(int(line.split()[1]) << 10 for line in lines if line.startswith(_OWN))
    return 0

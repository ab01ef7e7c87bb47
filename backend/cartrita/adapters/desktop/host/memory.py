"""The memory of a desktop: if all of its programs use too much, the largest are killed."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Final

from cartrita.adapters.desktop.host import lineage, segments
from cartrita.domain.desktop import DesktopIsolation

_LOOK_S: Final = 1.0
_CLOSE_LOOK_S: Final = 0.1
"""While they use more than half: a program takes a gigabyte in less than a second."""
_ANONYMOUS: Final = "RssAnon:"
"""What a process has for itself, in kB."""
_SWAPPED: Final = "VmSwap:"
"""What of that was put away, in kB."""
_SHARED: Final = "RssShmem:"
"""What it maps of what it shares with others of its desktop, in kB."""
_MEMORY_FILE: Final = "/memfd:"
_MEMORY_MAPPED: Final = (_MEMORY_FILE, "/dev/zero (deleted)", "/SYSV")
"""Names of what processes share without a file of a directory."""
_MOST_LINES: Final = 250_000
"""Of mappings, in one look: a browser has 30,000, and what has more for itself has 65,530."""
_BLOCK: Final = 512
_SHARE_OF_SEGMENTS: Final = 4


async def watch(most: int, isolation: DesktopIsolation) -> None:
    """Look again and again, until cancelled. `most` is in bytes."""
    used = 0
    while True:
        await asyncio.sleep(_CLOSE_LOOK_S if used > most // 2 else _LOOK_S)
        used = await asyncio.to_thread(_relieved, most, isolation)  # it may have much to read


def _relieved(most: int, isolation: DesktopIsolation) -> int:
    left = 0
    if isolation is DesktopIsolation.BUBBLEWRAP:  # without walls they may be another's
        left = segments.trim(most // _SHARE_OF_SEGMENTS)
    return left + relieve(most - left)


def relieve(most: int) -> int:
    """Kill the largest programs below this process, until the others use no more than this.

    How much is used by those that are left.
    """
    counted: set[int] = set()
    lines = iter(range(_MOST_LINES if _tells_sizes() else 0))
    sizes = {process: _size(process, counted, lines) for process in lineage.descendants()}
    used = sum(sizes.values())
    for process in sorted(sizes, key=lambda process: sizes[process], reverse=True):
        if used <= most:
            break
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
        used -= sizes[process]
    return used


def _size(process: int, counted: set[int], lines: Iterator[int]) -> int:
    """Of shared memory it is what is mapped, or what is held as files: whichever is more."""
    mapped = _mapped(process)
    held = sum(_held(process, counted, lines))
    own = mapped.get(_ANONYMOUS, 0) + mapped.get(_SWAPPED, 0)
    return own + max(mapped.get(_SHARED, 0), held)


def _mapped(process: int) -> dict[str, int]:
    with suppress(OSError):
        lines = Path(f"/proc/{process}/status").read_text("ascii", "replace").splitlines()
        words = [line.split() for line in lines if line.startswith((_ANONYMOUS, _SWAPPED, _SHARED))]
        return {name: int(size) << 10 for name, size, _ in words}
    return {}


def _held(process: int, counted: set[int], lines: Iterator[int]) -> Iterator[int]:
    """The sizes of its files in memory, but for those that are counted already."""
    for path in (*_open_files(process), *_mapped_files(process, lines)):
        with suppress(OSError):
            found = path.stat()
            if found.st_ino not in counted:
                counted.add(found.st_ino)
                yield found.st_blocks * _BLOCK


def _open_files(process: int) -> Iterator[Path]:
    with suppress(OSError):
        for descriptor in Path(f"/proc/{process}/fd").iterdir():
            with suppress(OSError):
                if str(descriptor.readlink()).startswith(_MEMORY_FILE):
                    yield descriptor


def _mapped_files(process: int, lines: Iterator[int]) -> Iterator[Path]:
    """Those whose descriptors are closed, or never were, in so many lines as are left."""
    folder = Path(f"/proc/{process}")
    with suppress(OSError), (folder / "maps").open("r", encoding="ascii", errors="replace") as maps:
        for _, line in zip(lines, maps, strict=False):
            if any(name in line for name in _MEMORY_MAPPED):
                place, _, _, _, _, *name = line.split(maxsplit=5)
                if name and name[0].startswith(_MEMORY_MAPPED):
                    yield folder / "map_files" / _as_listed(place)


@cache
def _tells_sizes() -> bool:
    """Whether this process is told how large mapped files are: root of the machine is."""
    try:
        return any(each.stat() for each in Path("/proc/self/map_files").iterdir())
    except OSError:
        return False


def _as_listed(place: str) -> str:
    """Addresses without the zeros before them."""
    return "-".join(f"{int(address, 16):x}" for address in place.split("-"))

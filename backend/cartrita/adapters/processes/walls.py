"""Shuts in a process that reads what strangers wrote, as far as the system can."""

import sysconfig
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from cartrita.adapters.processes import landlock, system_calls
from cartrita.adapters.processes.call_filter import call_filter

LIBRARIES: Final = tuple(map(Path, ("/lib", "/lib64", "/usr/lib", "/usr/lib64")))
LINKER_CACHE: Final = Path("/etc/ld.so.cache")
_INSTALLED: Final = ("stdlib", "platstdlib", "purelib", "platlib")


def shut_in(readable: Iterable[Path] = (), *, alone: bool = True) -> None:
    """From now on this process reads libraries and what is `readable`, and writes to what is open.

    It has no network and traces no others; if it is `alone` it starts nothing, not even threads,
    and signals none. Where the system lacks one of these walls the others stand: `missing` tells
    which.
    """
    with suppress(OSError):
        system_calls.gain_nothing()
    with suppress(OSError):
        landlock.restrict((*_readable(), *readable))
    if (refused := call_filter(alone=alone)) is not None:
        with suppress(OSError):
            system_calls.filter_calls(refused)


def missing() -> tuple[str, ...]:
    """What a process that is shut in is not kept from here."""
    filtered = call_filter() is not None and system_calls.has_filters()
    holes = {"files": not landlock.version(), "network": not filtered}
    return tuple(name for name, open_ in holes.items() if open_)


def _readable() -> Iterator[Path]:
    """What a reader may import late: Python's own modules, those installed, and what these link."""
    yield from LIBRARIES
    yield LINKER_CACHE
    paths = sysconfig.get_paths()
    yield from (Path(paths[name]) for name in _INSTALLED)

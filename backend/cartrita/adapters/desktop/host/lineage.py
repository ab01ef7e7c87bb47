"""The processes below this one, which end with it."""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


def end_all() -> None:
    """Kill the children, and theirs, until there are none; see `system_calls.adopt_orphans`.

    Nobody else may wait for a child meanwhile.
    """
    with suppress(ChildProcessError):
        while True:
            for child in _children():
                with suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
            os.waitpid(-1, 0)


def descendants() -> list[int]:
    """The processes below this one, at any depth."""
    parents = dict(_parents())
    found: list[int] = []
    level = {os.getpid()}
    while level := {process for process, parent in parents.items() if parent in level}:
        found += level
    return found


def _children() -> list[int]:
    """Those of this process, by the parent that each process names."""
    me = os.getpid()
    return [process for process, parent in _parents() if parent == me]


def _parents() -> Iterator[tuple[int, int]]:
    """Each process that can be seen, with its parent."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            _, _, fields = (process / "stat").read_text("ascii", "replace").rpartition(")")
            yield int(process.name), int(fields.split()[1])

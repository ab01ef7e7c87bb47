"""The processes below this one, which end with it."""

import os
import signal
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


def _children() -> list[int]:
    """Those of this process, by the parent that each process names."""
    found: list[int] = []
    me = str(os.getpid())
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            _, _, fields = (process / "stat").read_text("ascii", "replace").rpartition(")")
            if fields.split()[1] == me:
                found.append(int(process.name))
    return found

"""The bounds of a process are those of the system, and cannot be raised by it."""

import subprocess
import sys

_PROGRAM = """
import resource
from cartrita.adapters.processes.bounds import ProcessBounds, apply

apply(ProcessBounds(seconds=2.5, memory_bytes=1 << 30, file_bytes=77, processes={processes}))
for name in ("AS", "CPU", "FSIZE", "NOFILE", "CORE", "NPROC"):
    print(name, *resource.getrlimit(getattr(resource, "RLIMIT_" + name)))
"""


def bounds(processes: int | None) -> dict[str, str]:
    """The limits of a process that has bound itself, by name."""
    program = _PROGRAM.format(processes=processes)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    return dict(line.split(" ", 1) for line in done.stdout.splitlines())


def test_all_bounds() -> None:
    assert bounds(9) == {
        "AS": f"{1 << 30} {1 << 30}",
        "CPU": "3 3",
        "FSIZE": "77 77",
        "NOFILE": "64 64",
        "CORE": "0 0",
        "NPROC": "9 9",
    }


def test_processes_need_not_be_bounded() -> None:
    assert bounds(None)["NPROC"] != bounds(9)["NPROC"]

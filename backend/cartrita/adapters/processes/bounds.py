"""What a process may take, by limits of the system that it cannot raise again."""

import resource
from typing import Final

import msgspec

_DESCRIPTORS: Final = 64


class ProcessBounds(msgspec.Struct, frozen=True, kw_only=True):
    """What one process may take.

    `seconds` are those of a processor, `memory_bytes` its address space, `file_bytes` the longest
    file that it may write. `processes` are those of its user, threads included; None has no bound.
    """

    seconds: float
    memory_bytes: int
    file_bytes: int = 0
    processes: int | None = None


def apply(bounds: ProcessBounds) -> None:
    """Bind this process, and all that it starts. A core is never dumped."""
    seconds = int(bounds.seconds) + 1
    _limit(resource.RLIMIT_AS, bounds.memory_bytes)
    _limit(resource.RLIMIT_CPU, seconds)
    _limit(resource.RLIMIT_FSIZE, bounds.file_bytes)
    _limit(resource.RLIMIT_NOFILE, _DESCRIPTORS)
    _limit(resource.RLIMIT_CORE, 0)
    if bounds.processes is not None:
        _limit(resource.RLIMIT_NPROC, bounds.processes)


def _limit(what: int, most: int) -> None:
    resource.setrlimit(what, (most, most))

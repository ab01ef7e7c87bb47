"""What the process that makes a sandbox is told, and what it reports, line by line."""

from typing import Final, TypeAlias

import msgspec

PROGRAM: Final = "program.py"
"""The name of the program in its own directory."""


class SandboxBounds(msgspec.Struct, frozen=True, kw_only=True):
    """What one program may take.

    `seconds` are those of a clock, and of a processor for each process. `memory_bytes` is the
    address space of each of its processes, `disk_bytes` all that it may write, `output_bytes` all
    that is read of what it prints.
    """

    seconds: float = 20.0
    memory_bytes: int = 512 << 20
    disk_bytes: int = 64 << 20
    processes: int = 16
    output_bytes: int = 64 << 10


class SandboxOrder(msgspec.Struct, frozen=True, kw_only=True):
    """How to run the program on standard input, for the process `parent`.

    `namespaces` says whether it gets a network, file system and processes of its own; `folder` is
    an empty directory for it, `user_id` the number of a user of its own, where one can be taken.
    `hidden` are directories that it must not see wherever they lie.
    """

    parent: int
    namespaces: bool
    folder: str
    user_id: int | None
    bounds: SandboxBounds
    hidden: tuple[str, ...] = ()


class EndedLine(msgspec.Struct, frozen=True, tag="ended"):
    """The exit status of the program, or 128 and the signal that killed it."""

    status: int


class FailedLine(msgspec.Struct, frozen=True, tag="failed"):
    """Why the sandbox cannot be made."""

    reason: str


ReportLine: TypeAlias = EndedLine | FailedLine

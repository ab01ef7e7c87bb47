"""Programs of the system that work on what strangers wrote, shut in and within bounds."""

import shutil
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from cartrita.adapters.processes.bounds import ProcessBounds
from cartrita.adapters.processes.children import started
from cartrita.adapters.processes.launcher import LaunchOrder

_MODULE: Final = "cartrita.adapters.processes.launcher"
_BUFFER: Final = 64 << 10


def found(program: str) -> Path | None:
    """Where a program is, by its name or path; None if there is none that can be executed."""
    path = shutil.which(program)
    return Path(path).resolve() if path else None


@asynccontextmanager
async def running(
    program: Path,
    arguments: Sequence[str],
    *,
    bounds: ProcessBounds,
    stdin: BinaryIO | int,
    stdout: BinaryIO | int = PIPE,
    readable: Sequence[Path] = (),
) -> AsyncGenerator[Process]:
    """The program, which may read libraries and what is `readable`, and has no network.

    At the end of the body it is killed, with all of its group.
    """
    order = LaunchOrder((str(program), *arguments), bounds, tuple(map(str, readable)))
    told = msgspec.json.encode(order).decode()
    async with started(_MODULE, told, stdin=stdin, stdout=stdout, line_bytes=_BUFFER) as process:
        yield process

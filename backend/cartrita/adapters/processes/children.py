"""Starts processes in sessions of their own, with no environment of ours, and ends their groups."""

import asyncio
import os
import signal
import sys
from asyncio import SubprocessTransport
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final, cast

import anyio

_GRACE_S: Final = 2.0
"""For a program to end by itself when nobody speaks to it any more, and for its end to be seen."""


@asynccontextmanager
async def started(
    module: str,
    order: str,
    *,
    stdin: BinaryIO | int,
    line_bytes: int,
    reports: bool = False,
    stdout: BinaryIO | int = PIPE,
) -> AsyncGenerator[Process]:
    """A module of ours as a process, which is told `order` and reads `stdin`, a file or a pipe.

    Its stdout is a pipe, unless it is given; with `reports` its stderr is a pipe too. At the end of
    the body it is killed, with all of its group, whether what it has written was read or not.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        "-m",
        module,
        order,
        stdin=stdin,
        stdout=stdout,
        stderr=PIPE if reports else DEVNULL,
        env={},
        limit=line_bytes,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with anyio.CancelScope(shield=True):
            if process.returncode is None:
                _kill(process)
            _close_pipes(process)
            await process.wait()


@asynccontextmanager
async def serving(
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    folder: Path | None,
    line_bytes: int,
    stderr: BinaryIO | int = DEVNULL,
) -> AsyncGenerator[Process]:
    """A program that serves over its stdin and stdout, which are pipes. Raises OSError.

    At the end of the body its stdin is closed, which tells it to end; then it is killed, with all
    of its group.
    """
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=PIPE,
        stdout=PIPE,
        stderr=stderr,
        env=environment,
        cwd=folder,
        limit=line_bytes,
        start_new_session=True,
    )
    assert process.stdin is not None
    try:
        yield process
    finally:
        with anyio.CancelScope(shield=True):
            process.stdin.close()
            await _ended(process)
            _kill(process)
            if process.returncode is None:  # else `close` would take the status from who waits
                await _ended(process)
            # What has left the group may hold the pipes open; nobody else closes ours.
            _transport(process).close()
            await _ended(process)


def _kill(process: Process) -> None:
    """End all of the group of a process, whether it has ended itself or not."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _close_pipes(process: Process) -> None:
    """Read no more: before a pipe has come to its end, asyncio tells nobody that a process has."""
    for descriptor in (0, 1, 2):
        pipe = _transport(process).get_pipe_transport(descriptor)
        if pipe is not None:
            pipe.close()


def _transport(process: Process) -> SubprocessTransport:
    return cast("SubprocessTransport", getattr(process, "_transport"))  # noqa: B009


async def _ended(process: Process) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(_GRACE_S):
            await process.wait()

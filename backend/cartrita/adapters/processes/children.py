"""Starts a module of ours as a process with an empty environment, and ends it with its group."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import BinaryIO


@asynccontextmanager
async def started(
    module: str, order: str, *, stdin: BinaryIO, line_bytes: int, reports: bool = False
) -> AsyncGenerator[Process]:
    """The process, which is told `order` and reads `stdin`, in a session of its own.

    Its stdout is a pipe; with `reports` its stderr is one too. At the end of the body it is killed,
    with all of its group.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        "-m",
        module,
        order,
        stdin=stdin,
        stdout=PIPE,
        stderr=PIPE if reports else DEVNULL,
        env={},
        limit=line_bytes,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        await process.wait()

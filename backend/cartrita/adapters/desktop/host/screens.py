"""The X server of a desktop and what runs on it: started, watched, ended."""

import asyncio
import os
import signal
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncGenerator, Sequence
from contextlib import ExitStack, asynccontextmanager, suppress
from itertools import chain
from typing import Final

import anyio

from cartrita.adapters.desktop.host import homes
from cartrita.adapters.desktop.host.cookies import write_cookie
from cartrita.adapters.desktop.host.enclosures import AUTHORITY, HOME, Command, Enclosure
from cartrita.adapters.desktop.orders import HostOrder
from cartrita.domain.desktop import DesktopIsolation
from cartrita.domain.errors import Unavailable

_WINDOW_MANAGER: Final = """
cd "$HOME" || exit
while [ $# -gt 0 ]; do mkdir -p "${1%/*}" && printf %s "$2" >"$1" && shift 2 || exit; done
for try in 1 2 3 4 5; do openbox --sm-disable && exit; done
"""
"""Programs are not its children any more when it fails: the next one finds their windows."""


def prepare(order: HostOrder, enclosure: Enclosure) -> None:
    """Make what the X server and the programs find. Raises OSError."""
    if order.isolation is not DesktopIsolation.BUBBLEWRAP:
        for directory in (enclosure.directory, enclosure.directory / HOME):
            directory.mkdir(mode=0o700)
            if order.user_id is not None:
                os.chown(directory, order.user_id, order.user_id)
    write_cookie(enclosure.directory / AUTHORITY, order.user_id)


@asynccontextmanager
async def screen(order: HostOrder, enclosure: Enclosure) -> AsyncGenerator[tuple[Process, str]]:
    """The X server as a process, and the name of its display. Raises Unavailable."""
    read_end, write_end = os.pipe()
    spec = order.spec
    command = [
        *("Xvfb", "-displayfd", str(write_end), "-auth", str(enclosure.directory / AUTHORITY)),
        *("-screen", "0", f"{spec.width}x{spec.height}x24", "-dpi", "96"),
        *("-nolisten", "tcp", "-noreset", "-s", "0"),
    ]
    try:
        async with running(enclosure.screen(command), (write_end,)) as process:
            os.close(write_end)
            write_end = -1
            yield process, f":{await _number(read_end)}"
    finally:
        os.close(read_end)
        if write_end >= 0:
            os.close(write_end)


@asynccontextmanager
async def programs(order: HostOrder, enclosure: Enclosure, display: str) -> AsyncGenerator[Process]:
    """The window manager, whose menu starts programs, as a process with which they all end."""
    found = chain.from_iterable(homes.files(order.spec.apps).items())
    command = enclosure.programs(["/bin/sh", "-c", _WINDOW_MANAGER, "sh", *found], display)
    async with running(command) as process:
        yield process


@asynccontextmanager
async def running(
    command: Command, descriptors: Sequence[int] = (), *, stream: int = DEVNULL
) -> AsyncGenerator[Process]:
    """A process with `stream` as its input and output, whose group is killed in the end."""
    with ExitStack() as files:
        given = [files.enter_context(file).fileno() for file in command.files]
        process = await asyncio.create_subprocess_exec(
            *command.words,
            stdin=stream,
            stdout=stream,
            stderr=DEVNULL,
            pass_fds=[*descriptors, *given],
            env={},
            start_new_session=True,
        )
    try:
        yield process
    finally:
        with anyio.CancelScope(shield=True):
            await _end(process)


async def _end(process: Process) -> None:
    """Kill it with all of its group, and wait until that is gone.

    Bubblewrap is two processes, of which the inner one ends with the outer one only after it has
    asked for that. When that one is gone first, the inner one is a child of this process.
    """
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
    await asyncio.to_thread(_await_group, process.pid)


def _await_group(group: int) -> None:
    """Wait for the children that are of this group."""
    with suppress(ChildProcessError):
        while True:
            os.waitpid(-group, 0)


async def _number(read_end: int) -> int:
    """What the X server says when it can be used: the number of its display."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    with os.fdopen(os.dup(read_end), "rb", 0) as pipe:
        transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), pipe
        )
        try:
            line = await reader.readline()
        finally:
            transport.close()
    if not line.strip().isdigit():
        raise Unavailable("The X server of the desktop did not start.")
    return int(line)

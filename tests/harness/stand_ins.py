"""Stand-ins that are processes of their own: how a test starts one, and how one ends."""

import asyncio
import os
import resource
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

_ROOT = Path(__file__).parents[2]
_WATCHDOG_S = 60

Serve: TypeAlias = Callable[[int, asyncio.Event, Callable[[int], None]], Awaitable[None]]
"""Serves on a port until an event; it tells the port that it got."""


@contextmanager
def started(
    module: str, arguments: Sequence[str]
) -> Generator[tuple["subprocess.Popen[str]", int]]:
    """Run a module as a stand-in for the length of the block: its process and its port.

    Raises AssertionError at the end if it ran into anything that no test asked for.
    """
    # It ends when its stdin does, so that it does not outlive us however we die.
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=_ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process, _port(process)
        finally:
            _stop(process)
    if process.returncode:
        raise AssertionError(f"{module} ended with {process.returncode}; see its stderr.")


def run(serve: Serve, port: int) -> int:
    """Serve until told to stop; return 1 if anything went wrong that no test asked for."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return asyncio.run(_run(serve, port))


async def _run(serve: Serve, port: int) -> int:
    stop = asyncio.Event()
    mishaps: list[str] = []
    loop = asyncio.get_running_loop()

    def note_mishap(loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
        mishaps.append(str(context["message"]))
        loop.default_exception_handler(context)

    loop.set_exception_handler(note_mishap)
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    watch = threading.Thread(target=_watch, args=(os.getppid(), loop, stop), daemon=True)
    watch.start()
    await serve(port, stop, _tell)
    return 1 if mishaps else 0


def _tell(port: int) -> None:
    sys.stdout.write(f"listening on 127.0.0.1:{port}\n")
    sys.stdout.flush()


def _watch(parent: int, loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    """Stop when stdin ends or the parent is gone, so that no test leaves a process behind."""
    while os.getppid() == parent:
        if select.select([0], [], [], 0.5)[0] and not os.read(0, 4096):
            break
    loop.call_soon_threadsafe(stop.set)


def _port(process: "subprocess.Popen[str]") -> int:
    assert process.stdout is not None
    if not select.select([process.stdout], [], [], _WATCHDOG_S)[0]:
        raise TimeoutError(f"The stand-in said nothing for {_WATCHDOG_S} s.")
    line = process.stdout.readline()
    if not line.startswith("listening on "):
        raise RuntimeError("The stand-in did not start; see its stderr.")
    return int(line.rpartition(":")[2])


def _stop(process: "subprocess.Popen[str]") -> None:
    assert process.stdin is not None
    process.stdin.close()
    try:
        process.wait(_WATCHDOG_S)
    except subprocess.TimeoutExpired:
        process.kill()

"""What runs in a desktop, seen from the machine: its processes, and the files that they see."""

import asyncio
import os
from contextlib import suppress
from pathlib import Path

import psutil
from tests.harness.desktop_pictures import shows_menu

from cartrita.adapters.desktop.running import RunningDesktop
from cartrita.domain.desktop import Click, Key, Move, Point, Type

HOME = "home/desktop"
_WATCHDOG_S = 180.0


def process(name: str) -> psutil.Process:
    """The only process of this name below this one."""
    (found,) = named(name)
    return found


def named(name: str) -> list[psutil.Process]:
    """All of this name below this one."""
    found: list[psutil.Process] = []
    for each in psutil.Process(os.getpid()).children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if each.name() == name:
                found.append(each)
    return found


def home(number: int | None = None) -> Path:
    """The home that a process with walls sees, by default that of the only desktop."""
    seen = process("openbox").pid if number is None else number
    return Path("/proc", str(seen), "root", HOME)


async def open_first(desktop: RunningDesktop) -> None:
    """Open the first entry of the menu, which has the keys as soon as it is seen."""
    at = Point(1000, 700)
    closed = (await desktop.act(Move(at))).after.png
    await desktop.act(Click(at))
    async with asyncio.timeout(_WATCHDOG_S):
        while not shows_menu(closed, (await desktop.look()).png):  # a cursor alone is no menu
            continue
    await desktop.act(Key(("Down",)))
    await desktop.act(Key(("Return",)))


async def open_terminal(desktop: RunningDesktop) -> None:
    """The same where it is a terminal; what is typed afterwards is typed into its shell."""
    await open_first(desktop)
    begun = home() / "begun"
    async with asyncio.timeout(_WATCHDOG_S):
        while not begun.exists():
            await desktop.act(Type(f"touch {begun.name}\n"))


def display() -> tuple[str, str]:
    """The name of the only desktop's display, where there are no walls, and its cookie's file."""
    server = process("Xvfb")
    options = server.cmdline()
    [name] = {
        f":{place.rpartition('/X')[2]}"
        for one in server.net_connections("unix")
        if "/X" in (place := str(one.laddr))
    }
    return name, options[options.index("-auth") + 1]

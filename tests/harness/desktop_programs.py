"""What runs in a desktop, seen from the machine: its processes, and the files that they see."""

import os
from contextlib import suppress
from pathlib import Path

import psutil

HOME = "home/desktop"


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

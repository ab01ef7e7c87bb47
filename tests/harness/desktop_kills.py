"""Kills parts of desktops by SIGKILL at moments of chance, and looks for what is left of them.

`python -m tests.harness.desktop_kills --starts 200` does it any number of times.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil

from cartrita.domain.desktop import DesktopIsolation

TARGETS: Final = ("worker", "keeper", "host", "keeper and host", "Xvfb", "openbox")
_HOST: Final = "cartrita.adapters.desktop.host.main"
_X_SOCKETS: Final = Path("/tmp/.X11-unix")
_WATCHDOG_S: Final = 120.0
_PAUSE_S: Final = 0.005
_LATEST: Final = 60
"""So many looks after a target was seen it is killed at the latest, ready or not."""


class SomethingLeft(AssertionError):
    """A kill has left something; the message says what, and after what."""


@dataclass
class Killing:
    """One worker with one desktop, of which a part is killed."""

    folder: Path
    isolation: DesktopIsolation
    chance: random.Random
    seen: dict[tuple[int, float], str] = field(default_factory=dict[tuple[int, float], str])

    def run(self) -> str:
        """Start, kill, end. Returns what was killed. Raises SomethingLeft."""
        target = self.chance.choice(TARGETS)
        looks = self.chance.randrange(_LATEST)
        told = f"{target}, {looks} looks after it was seen"
        before = _places()
        worker = subprocess.Popen(
            [sys.executable, "-m", "tests.harness.desktop_worker", self.folder, self.isolation],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        try:
            self._kill(worker, target, looks)
        finally:
            worker.communicate()
        self._require_nothing(before, told)
        return told

    def _kill(self, worker: subprocess.Popen[bytes], target: str, looks: int) -> None:
        """Kill the target so many looks after it has been seen."""
        deadline = time.monotonic() + _WATCHDOG_S
        while not (found := self._look(worker.pid).get(target)):
            if time.monotonic() > deadline or worker.poll() is not None:
                raise SomethingLeft(f"{target} was never seen")
        for _ in range(looks):
            self._look(worker.pid)
            time.sleep(_PAUSE_S)
        found = self._look(worker.pid).get(target, found)
        for process in found:
            with suppress(psutil.NoSuchProcess, ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        self._look(worker.pid)

    def _look(self, worker: int) -> dict[str, list[int]]:
        """The parts there are now, each of which is remembered."""
        found = {"worker": [worker]}
        with suppress(psutil.NoSuchProcess):
            for process in psutil.Process(worker).children(recursive=True):
                with suppress(psutil.NoSuchProcess):
                    self.seen[process.pid, process.create_time()] = process.name()
                    if name := part(process, worker):
                        found[name] = [process.pid]
        if "keeper" in found and "host" in found:
            found["keeper and host"] = found["keeper"] + found["host"]
        return found

    def _require_nothing(self, before: set[str], told: str) -> None:
        """Wait for the end of all that was seen, and look where things are left."""
        deadline = time.monotonic() + _WATCHDOG_S
        while left := self._alive():
            if time.monotonic() > deadline:
                raise SomethingLeft(f"{told}: {left} live on")
            time.sleep(_PAUSE_S)
        while left := [*_places() - before, *_entries(self.folder)]:
            if time.monotonic() > deadline:
                raise SomethingLeft(f"{told}: {left} were left")
            time.sleep(_PAUSE_S)

    def _alive(self) -> list[str]:
        return [name for (number, began), name in self.seen.items() if _lives(number, began)]


def _lives(number: int, began: float) -> bool:
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(number)
        return process.create_time() == began and process.status() != psutil.STATUS_ZOMBIE
    return False


def part(process: psutil.Process, worker: int) -> str | None:
    """Which part of a desktop it is, of those that are killed."""
    name = process.name()
    if name in ("Xvfb", "openbox"):
        return name
    if _HOST in process.cmdline():
        return "keeper" if process.ppid() == worker else "host"
    return None


def _places() -> set[str]:
    """What desktops could leave among temporary files, and memory that they could leave."""
    places = {str(path) for path in Path(tempfile.gettempdir()).glob("cartrita-desktop-*")}
    for pattern in (".*X*-lock", "server-*.xkm"):
        places |= {str(path) for path in Path("/tmp").glob(pattern)}
    places |= {str(path) for path in _X_SOCKETS.glob("X*") if _of_desktop(path)}
    return places


def _of_desktop(path: Path) -> bool:
    with suppress(FileNotFoundError):
        return path.stat().st_uid != 0 or os.geteuid() != 0
    return False


def _entries(folder: Path) -> list[str]:
    return [str(path) for path in folder.iterdir()] if folder.exists() else []


def kill(folder: Path, *, starts: int, seed: int, isolation: DesktopIsolation) -> list[str]:
    """Start so many desktops, kill a part of each, and tell what was killed."""
    chance = random.Random(seed)
    return [Killing(folder, isolation, chance).run() for _ in range(starts)]


def main() -> None:
    """Tell of each kill, and fail at the first that leaves something."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--starts", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--isolation", type=DesktopIsolation, default=DesktopIsolation.BUBBLEWRAP)
    given = parser.parse_args()
    sys.stdout.write(f"seed {given.seed}\n")
    chance = random.Random(given.seed)
    with tempfile.TemporaryDirectory() as folder:
        for number in range(given.starts):
            told = Killing(Path(folder) / "desktops", given.isolation, chance).run()
            sys.stdout.write(f"{number + 1}. {told}\n")
    sys.stdout.write("nothing was left\n")


if __name__ == "__main__":
    main()

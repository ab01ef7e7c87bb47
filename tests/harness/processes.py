"""The processes of one server under test: parent, workers, Postgres, and what is left over."""

import os
import signal
import subprocess
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

_GONE = (psutil.NoSuchProcess, psutil.ZombieProcess)
_PAUSE_S = 0.02


@dataclass(frozen=True, slots=True)
class Tree:
    """Process ids at one moment; `cluster` are all of Postgres, the postmaster among them."""

    parent: int | None
    workers: tuple[int, ...]
    postmaster: int | None
    cluster: tuple[int, ...]

    @property
    def all(self) -> tuple[int, ...]:
        ours = () if self.parent is None else (self.parent,)
        return (*ours, *self.workers, *self.cluster)


class ParentWatch:
    """Ends a process when this one is gone, also by SIGKILL: no killed test leaves a server behind.

    The watcher reads a pipe that only we hold: a line dismisses it, end of file triggers it.
    """

    def __init__(self, pid: int) -> None:
        watch = f'read -r word; [ -n "$word" ] || kill -s TERM {pid}'
        self._watcher = subprocess.Popen(
            ["/bin/sh", "-c", watch], stdin=subprocess.PIPE, start_new_session=True
        )

    def release(self) -> None:
        """Dismiss the watcher, since the process has ended and its id may be reused."""
        self._watcher.communicate(b"dismissed\n")


def look(parent: int | None, data_dir: Path) -> Tree:
    """The tree below `parent` and the Postgres of `data_dir`, whoever started it."""
    alive = parent is not None and psutil.pid_exists(parent)
    workers = _workers(parent) if alive and parent is not None else []
    cluster = _cluster(data_dir)
    return Tree(
        parent=parent if alive else None,
        workers=tuple(workers),
        postmaster=_postmaster(data_dir, cluster),
        cluster=tuple(cluster),
    )


def leftovers(data_dir: Path) -> list[str]:
    """Whatever still runs for this data directory, as sentences; zombies are not counted."""
    found: list[str] = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.pid != os.getpid() and _belongs(process, data_dir):
                found.append(f"{process.pid} {' '.join(process.cmdline())[:120]}")
    return found


def send(pids: Iterable[int], signum: signal.Signals) -> list[int]:
    """Signal each process; returns those that were there."""
    reached: list[int] = []
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signum)
            reached.append(pid)
    return reached


def wait_gone(data_dir: Path, watchdog_s: float) -> list[str]:
    """Wait until nothing runs for the data directory; returns what is still there at the end."""
    deadline = time.monotonic() + watchdog_s
    while (left := leftovers(data_dir)) and time.monotonic() < deadline:
        time.sleep(_PAUSE_S)
    return left


def memory_bytes(pids: Iterable[int]) -> int:
    """What some processes have taken for themselves: what a subscriber costs is counted here.

    Pages that a process shares with a child it has just forked count as its own, and so do those
    that are swapped out: of neither does the process hold less.
    """
    total = 0
    for pid in pids:
        with suppress(*_GONE):
            maps = psutil.Process(pid).memory_maps(grouped=True)
            total += sum(each.anonymous + each.swap for each in maps)
    return total


def _workers(parent: int) -> list[int]:
    found: list[int] = []
    with suppress(*_GONE):
        for child in psutil.Process(parent).children():
            with suppress(*_GONE):
                line = " ".join(child.cmdline())
                if child.name() != "postgres" and "resource_tracker" not in line:
                    found.append(child.pid)
    return found


def cluster_folder(data_dir: Path) -> Path:
    """Where Postgres keeps its files; the data directory may only hold a link to it."""
    return Path(os.path.realpath(data_dir / "postgres"))


def _cluster(data_dir: Path) -> list[int]:
    folder = str(cluster_folder(data_dir))
    found: list[int] = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.name() == "postgres" and process.cwd() == folder:
                found.append(process.pid)
    return found


def _postmaster(data_dir: Path, cluster: list[int]) -> int | None:
    with suppress(OSError, ValueError, IndexError):
        pid = int((cluster_folder(data_dir) / "postmaster.pid").read_text().splitlines()[0])
        return pid if pid in cluster else None
    return None


def _belongs(process: psutil.Process, data_dir: Path) -> bool:
    if process.status() == psutil.STATUS_ZOMBIE:
        return False
    if process.name() == "postgres":
        return process.cwd() == str(cluster_folder(data_dir))
    return process.environ().get("CARTRITA_DATA_DIR") == str(data_dir)

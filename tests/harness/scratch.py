"""Where the databases of tests lie: in memory where there is plenty, for none outlives its test."""

import atexit
import fcntl
import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from cartrita.adapters.postgres.data_layout import claim_directory

_MEMORY = Path("/dev/shm")
_PLENTY = 6 << 30
"""A server under test takes 64 MB, and some forty of them run at once."""
_places: list[Path] = []


def in_memory() -> None:
    """From now on in memory, where this process may take so much of it.

    Every database is some hundred files that come and go, and looking for a place for those is
    most of what a test of one costs on some disks. A kill is no power cut there, either.
    """
    if not os.environ.get("HARNESS_KEEP") and _is_plenty():
        home = _MEMORY / f"cartrita-tests-{os.geteuid()}"
        if claim_directory(home, 0o711):
            _places.append(claim(home))


def folder(prefix: str) -> Path:
    """A new one, which every user can enter: as root, tests run Postgres as another user."""
    made = Path(tempfile.mkdtemp(prefix=prefix, dir=_places[-1] if _places else None))
    made.chmod(0o711)
    return made


def claim(home: Path) -> Path:
    """A folder in `home` until this process ends; removes those of processes that were killed."""
    with _locked(home):
        for each in home.iterdir():
            with suppress(OSError), _locked(each, fcntl.LOCK_NB):  # in use, or gone meanwhile
                shutil.rmtree(each, ignore_errors=True)
        mine = Path(tempfile.mkdtemp(dir=home))
        mine.chmod(0o711)
        fcntl.flock(os.open(mine, os.O_RDONLY), fcntl.LOCK_EX)  # until the process ends
    atexit.register(_remove, mine, home)
    return mine


def _remove(mine: Path, home: Path) -> None:
    with suppress(OSError), _locked(home):
        shutil.rmtree(mine, ignore_errors=True)


def _is_plenty() -> bool:
    if not _MEMORY.is_dir():
        return False
    free = shutil.disk_usage(_MEMORY).free
    return min(free, psutil.virtual_memory().available) > _PLENTY


@contextmanager
def _locked(place: Path, flags: int = 0) -> Generator[None]:
    opened = os.open(place, os.O_RDONLY)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | flags)
        yield
    finally:
        os.close(opened)

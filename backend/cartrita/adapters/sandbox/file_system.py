"""The files that a program sees: Python, the system's libraries, and a directory of its own."""

import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from cartrita.adapters.processes import system_calls
from cartrita.adapters.processes.system_calls import NO_DEVICES, NO_SET_ID, READ_ONLY
from cartrita.adapters.processes.walls import LINKER_CACHE
from cartrita.adapters.sandbox.orders import PROGRAM

WORK: Final = "tmp"
"""The directory in which a program is run, under its root."""
PYTHON: Final = os.path.realpath(sys.executable)
"""Without a virtual environment, and what is installed in it."""
SYSTEM: Final = (*map(Path, ("/usr", "/bin", "/sbin", "/lib", "/lib64")), Path(sys.base_prefix))
"""What programs see of the files of the system."""
DEVICES: Final = tuple(map(Path, ("/dev/null", "/dev/zero", "/dev/urandom")))
_MOST_FILES: Final = 4_096


def build_root(folder: Path, disk_bytes: int, hidden: Iterable[str]) -> None:
    """Mount what will be the root at `folder`, for this process and its children only."""
    system_calls.make_mounts_private()
    options = f"size={disk_bytes},nr_inodes={_MOST_FILES},mode=0755"
    system_calls.mount("tmpfs", str(folder), options)
    for source in SYSTEM:
        _show(source, folder)
    for device in DEVICES:
        target = _beneath(folder, device)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
        system_calls.bind(str(device), str(target), NO_SET_ID)
    for open_to_all in (_beneath(folder, Path("/dev/shm")), folder / WORK):  # noqa: S108 - of its own
        open_to_all.mkdir()
        open_to_all.chmod(0o1777)
    (folder / "proc").mkdir()
    if LINKER_CACHE.exists():
        (folder / "etc").mkdir()
        _beneath(folder, LINKER_CACHE).write_bytes(LINKER_CACHE.read_bytes())
    for each in hidden:
        target = _beneath(folder, Path(os.path.realpath(each)))
        if target.is_dir():
            system_calls.mount("tmpfs", str(target), "size=4k,mode=0000")


def enter_root(folder: Path) -> None:
    """Make it the root, with the processes of this namespace where the system lets them be seen."""
    with suppress(OSError):
        system_calls.mount("proc", str(folder / "proc"), "hidepid=2")
    system_calls.change_root(str(folder))


def write_program(folder: Path, program: bytes) -> None:
    """Put the program where it is run."""
    path = folder / PROGRAM
    path.write_bytes(program)
    path.chmod(0o644)


def _show(source: Path, folder: Path) -> None:
    """Show a directory of the system as it is, or as the link that it is."""
    target = _beneath(folder, source)
    if not source.exists() or target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_symlink():
        target.symlink_to(source.readlink())
        return
    target.mkdir()
    system_calls.bind(str(source), str(target), READ_ONLY | NO_SET_ID | NO_DEVICES)


def _beneath(folder: Path, path: Path) -> Path:
    return folder / path.relative_to("/")

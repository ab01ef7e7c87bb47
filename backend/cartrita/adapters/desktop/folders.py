"""Folders of desktops, `<data dir>/desktops/<id>`: each is locked by its host while that lives.

The lock is one of the folder itself, so that there is no file which could be left behind. It is
held by all processes that have forked from the one that took it.
"""

import fcntl
import os
import re
import shutil
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from cartrita.adapters.desktop import remnants
from cartrita.adapters.desktop.orders import SOCKET

_NAME: Final = re.compile("[0-9a-f]{32}")
_ANNOUNCED: Final = ".starting"
"""Of a file beside the folder, which the worker has locked that is about to start the desktop."""


def make(folder: Path) -> None:
    """Make the folder of a desktop that is about to be started, so that others know of it.

    Where it cannot be made, the host tells why.
    """
    with suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def claim(folder: Path) -> int:
    """Make the folder and lock it: its descriptor, which must stay open. Raises OSError."""
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    while True:
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        with suppress(FileNotFoundError):
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if _is(descriptor, folder):
                    return descriptor
            except OSError:
                os.close(descriptor)
                raise
            os.close(descriptor)  # who clears up has removed it before it was locked


@contextmanager
def announced(folder: Path) -> Generator[None]:
    """Meanwhile it is about to be started here, for all who ask `is_begun`, if this process lives.

    Raises OSError, first of all, where this cannot be told.
    """
    path = folder.with_suffix(_ANNOUNCED)
    descriptor = _locked(path)
    try:
        yield
    finally:
        with suppress(OSError):  # one that is left is removed when the next server starts
            path.unlink()
        os.close(descriptor)


def is_begun(folder: Path) -> bool:
    """Whether a desktop runs, or a worker that lives is about to start it. Raises OSError.

    The folder is asked last: its host, which claims it meanwhile, must not find it locked by us.
    """
    return _is_announced(folder) or _is_locked(folder)


def remove_dead(folders: Path) -> None:
    """Remove what desktops have left whose hosts are gone, whatever ended them.

    The folder of one that is about to be started is no such thing: it may be a container's already,
    whose host has not claimed it yet.
    """
    with suppress(FileNotFoundError):
        for each in sorted(folders.iterdir()):
            with suppress(OSError):
                if each.suffix == _ANNOUNCED:
                    _remove_if_unlocked(each)
                elif not _is_announced(each):
                    remove_if_dead(each)


def remove_if_dead(folder: Path) -> bool:
    """Remove what a desktop has left, unless its host lives: whether that is over."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if _is(descriptor, folder):
            remnants.clear(folder.name)
            remove(folder)
    except BlockingIOError:
        return False
    except OSError:
        return True  # nothing more can be done about it
    finally:
        os.close(descriptor)
    return True


def names(folders: Path) -> Sequence[str]:
    """Of desktops that run, or are being started; and of those that died until they are removed."""
    with suppress(FileNotFoundError):
        return [each.name for each in sorted(folders.iterdir()) if _NAME.fullmatch(each.name)]
    return ()


def remove(folder: Path) -> None:
    """Remove a folder of one's own."""
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def socket_path(folder: Path) -> Generator[str]:
    """The socket of a desktop by a short path: those of sockets have 107 bytes at most.

    Raises FileNotFoundError if there is no such folder.
    """
    descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}/{SOCKET}"
    finally:
        os.close(descriptor)


def _locked(path: Path) -> int:
    """Make a file and lock it: its descriptor. Raises OSError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if _is(descriptor, path):
                return descriptor
        except OSError:
            os.close(descriptor)
            raise
        os.close(descriptor)  # who clears up has removed it before it was locked


def _is_announced(folder: Path) -> bool:
    return _is_locked(folder.with_suffix(_ANNOUNCED))


def _is_locked(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _remove_if_unlocked(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink()
    finally:
        os.close(descriptor)


def _is(descriptor: int, folder: Path) -> bool:
    """Whether the folder is still the one that was opened."""
    try:
        return os.path.samestat(os.fstat(descriptor), folder.lstat())
    except FileNotFoundError:
        return False

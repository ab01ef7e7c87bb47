"""What a desktop without namespaces may leave when its host is killed, and how it is cleared.

In namespaces of its own the kernel ends all processes with the host, and its directories lie in
memory that is gone with them: then there is nothing of this.
"""

import os
import shutil
import signal
import socket
from contextlib import suppress
from pathlib import Path
from typing import Final

MARK: Final = "CARTRITA_DESKTOP"
"""The variable by which programs of a desktop without namespaces are known."""
_PLACE: Final = Path("/tmp")  # noqa: S108 - where X servers have theirs, whatever TMPDIR says
"""The server, its hosts, containers, and a server that clears up later have to agree on it."""
_X_SOCKETS: Final = _PLACE / ".X11-unix"
_BESIDE: Final = (".X{}-lock", ".tX{}-lock", "server-{}.xkm")
"""Locks, and the map of the keyboard while it is read."""
_LOCK: Final = _BESIDE[0]
_DEAD: Final = "ZX"
"""States of processes that only have not been waited for."""
_ROUNDS: Final = 50


def place(name: str) -> Path:
    """The directory among temporary files of the desktop whose folder has this name."""
    return _PLACE / f"cartrita-desktop-{name}"


def clear(name: str) -> None:
    """End its programs, and remove its directory and the socket of its X server."""
    directory = place(name)
    try:
        owner = directory.lstat().st_uid
    except FileNotFoundError:
        return
    for _ in range(_ROUNDS):  # they may start others meanwhile
        if not _kill_marked(f"{MARK}={name}".encode()):
            break
    _remove_sockets(owner)
    shutil.rmtree(directory, ignore_errors=True)


def _kill_marked(mark: bytes) -> bool:
    """Whether there were any."""
    found = False
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if mark in (process / "environ").read_bytes().split(b"\0"):
                found = True
                os.kill(int(process.name), signal.SIGKILL)
    return found


def _remove_sockets(owner: int) -> None:
    """Remove sockets of X servers of this user that are dead, and what lies beside them."""
    for path in _X_SOCKETS.glob("X*"):
        with suppress(OSError):
            number = path.name.removeprefix("X")
            lock = _X_SOCKETS.parent / _LOCK.format(number)
            if path.lstat().st_uid == owner and not _is_held(lock) and not _answers(path):
                for beside in _BESIDE:
                    (_X_SOCKETS.parent / beside.format(number)).unlink(missing_ok=True)
                path.unlink()


def _is_held(lock: Path) -> bool:
    """Whether an X server lives that has this lock, which it takes before it makes its socket."""
    try:
        status = Path(f"/proc/{int(lock.read_text('ascii'))}/stat").read_text("ascii", "replace")
    except (OSError, ValueError):
        return False
    return status.rpartition(")")[2].split()[0] not in _DEAD


def _answers(path: Path) -> bool:
    """Whether a process listens on a socket."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.setblocking(False)
        try:
            connection.connect(str(path))
        except ConnectionRefusedError:
            return False
        except OSError:
            return True
    return True

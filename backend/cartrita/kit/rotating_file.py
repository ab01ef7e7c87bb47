"""A file that several processes append lines to, and that begins anew when it has grown."""

import errno
import os
import stat
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

if sys.platform != "win32":
    import fcntl

_MODE = 0o600
_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK


class RotatingFile:
    """Appends whole lines to `path`, which others may append to as well.

    A line that would make it longer than `most_bytes` begins a new file: the old one gets the name
    `path.1`, that one `path.2`, and `count` of them are kept. What cannot be written is lost. One
    that another program has renamed or removed is made anew.
    """

    def __init__(
        self,
        path: Path,
        *,
        most_bytes: int,
        count: int,
        write: Callable[[int, bytes], int] = os.write,
    ) -> None:
        self._path = path
        self._most_bytes = most_bytes
        self._count = count
        self._write = write
        self._descriptor: int | None = None
        self._identity = (0, 0)
        self._size = 0
        self._longest = most_bytes
        self._torn = False
        self._lock = threading.Lock()

    @property
    def path(self) -> Path:
        """Where it is."""
        return self._path

    def require_writable(self) -> None:
        """Open it, and make it if it is not there. Raises OSError."""
        with self._lock:
            self._follow()

    def append(self, line: str) -> None:
        """Append a line, without its end. A line that cannot be written is lost."""
        octets = line.encode("utf-8", "backslashreplace") + b"\n"
        with self._lock, suppress(OSError):
            self._follow()
            if self._size and self._size + len(octets) > self._longest:
                self._rotate()
            self._append(octets)

    def close(self) -> None:
        """Close it; a line that comes later opens it again."""
        with self._lock:
            if self._descriptor is not None:
                os.close(self._descriptor)
            self._descriptor = None

    def _append(self, octets: bytes) -> None:
        """One write for each line: those of several processes do not run into each other."""
        assert self._descriptor is not None
        whole = b"\n" + octets if self._torn else octets
        written = self._write(self._descriptor, whole)
        self._torn = written < len(whole)

    def _follow(self) -> None:
        """Have the file open that bears the name now."""
        if self._descriptor is not None:
            with suppress(FileNotFoundError):
                found = os.stat(self._path)
                if _identity(found) == self._identity:
                    self._size = found.st_size
                    return
            os.close(self._descriptor)
            self._descriptor = None
        descriptor = os.open(self._path, _FLAGS, _MODE)
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            os.close(descriptor)
            raise OSError(errno.EINVAL, "it is no regular file", str(self._path))
        self._descriptor, self._identity = descriptor, _identity(found)
        self._size, self._longest = found.st_size, self._most_bytes
        self._torn = False

    def _rotate(self) -> None:
        """Begin a new file. Where nothing can be renamed, the old one grows on."""
        try:
            self._rename_all()
            self._follow()
        except OSError:
            self._longest = self._size + self._most_bytes
            self._follow()

    def _rename_all(self) -> None:
        """Rename the files, unless another process has done so: the lock is of the file itself."""
        assert self._descriptor is not None
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        try:
            if _identity(os.stat(self._path)) != self._identity:
                return
            for number in reversed(range(1, self._count)):
                with suppress(FileNotFoundError):
                    self._numbered(number).replace(self._numbered(number + 1))
            self._path.replace(self._numbered(1))
        finally:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")


def _identity(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino

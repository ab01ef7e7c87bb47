"""A process that is shut in reaches nothing of the server's, and still reads what it was given."""

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from cartrita.adapters.processes import landlock, system_calls, walls

_PROGRAM = """
import sys
{before}
from cartrita.adapters.processes.walls import shut_in
shut_in()
import sqlite3  # a module of Python with a library of the system
try:
    {attempt}
except OSError as error:
    print(error.strerror)
else:
    print("done", sys.stdin.read())
"""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="walls are Linux'")


def attempted(attempt: str, before: str = "") -> str:
    """What a process says that is shut in and tries this."""
    program = _PROGRAM.format(attempt=attempt, before=before)
    done = subprocess.run(
        [sys.executable, "-c", program], input="moss", capture_output=True, text=True, timeout=60
    )
    return done.stdout.strip() or done.stderr


@pytest.mark.skipif(not landlock.version(), reason="the kernel has no Landlock")
def test_files_of_the_server_are_not_there(tmp_path: Path) -> None:
    secret = tmp_path / "key"
    secret.write_text("heliotrope")
    for attempt in (
        f"open({str(secret)!r})",
        f"open({str(tmp_path / 'new')!r}, 'w')",
        "open(f'/proc/{os.getppid()}/environ')",
        "os.listdir('/')",
        "open('/etc/passwd')",
    ):
        assert attempted(attempt, "import os") == "Permission denied", attempt


@pytest.mark.parametrize(
    ("attempt", "before"),
    [
        ("socket.socket()", "import socket"),
        ("socket.socket(socket.AF_UNIX)", "import socket"),
        ("os.fork()", "import os"),
        ("os.execv(sys.executable, ['python', '-c', ''])", "import os"),
        ("os.kill(os.getppid(), 0)", "import os"),
    ],
)
def test_there_are_no_network_and_no_processes(attempt: str, before: str) -> None:
    assert attempted(attempt, before) == "Operation not permitted"


def test_this_kernel_has_filters() -> None:
    assert system_calls.has_filters()


def test_what_was_given_is_read() -> None:
    assert attempted("pass") == "done moss"


@pytest.mark.parametrize(
    ("version", "filter_", "error", "missing"),
    [
        (7, b"x", errno.EFAULT, ()),
        (0, b"x", errno.EFAULT, ("files",)),
        (7, b"x", errno.EINVAL, ("network",)),
        (0, None, errno.EFAULT, ("files", "network")),
    ],
)
def test_what_is_missing_is_named(
    version: int,
    filter_: bytes | None,
    error: int,
    missing: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def prctl(*_: object) -> None:
        raise OSError(error, "prctl")

    monkeypatch.setattr(system_calls, "_prctl", prctl)
    monkeypatch.setattr(landlock, "version", lambda: version)
    monkeypatch.setattr(walls, "call_filter", lambda: filter_)
    assert walls.missing() == missing

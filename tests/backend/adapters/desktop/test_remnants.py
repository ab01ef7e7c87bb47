"""What a killed desktop without namespaces has left is removed, and nothing of one that starts."""

import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cartrita.adapters.desktop import remnants


@pytest.fixture
def bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The socket of an X server that does not listen yet, or not any more; a short path to it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(remnants, "_PLACE", Path())
    monkeypatch.setattr(remnants, "_X_SOCKETS", Path("sockets"))
    Path("sockets").mkdir()
    remnants.place("a").mkdir()
    path = Path("sockets", "X7")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        yield path


def lock(process: int) -> Path:
    path = Path(".X7-lock")
    path.write_text(f"{process:>10}\n")
    return path


def test_the_socket_of_a_server_that_starts_is_left(bound: Path) -> None:
    mine = lock(os.getpid())
    remnants.clear("a")
    assert bound.exists()
    assert mine.exists()
    assert not remnants.place("a").exists()


def test_that_of_a_dead_one_is_removed_with_its_lock(bound: Path) -> None:
    with subprocess.Popen(["true"]) as process:
        process.wait()
    locked = lock(process.pid)
    remnants.clear("a")
    assert not bound.exists()
    assert not locked.exists()


def test_one_that_nobody_has_waited_for_is_dead(bound: Path) -> None:
    with subprocess.Popen(["true"]) as process:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        lock(process.pid)
        remnants.clear("a")
    assert not bound.exists()


@pytest.mark.parametrize("written", ["", "none", None])
def test_without_a_lock_that_can_be_read_it_is_dead(bound: Path, written: str | None) -> None:
    if written is not None:
        Path(".X7-lock").write_text(written)
    remnants.clear("a")
    assert not bound.exists()

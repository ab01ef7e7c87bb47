"""What a host makes before it leaves the namespaces of the machine, others can use."""

import os
from pathlib import Path

import pytest

from cartrita.adapters.desktop.host import namespaces
from cartrita.adapters.processes import system_calls


@pytest.fixture
def left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory for sockets of X servers, of a host that goes nowhere."""
    directory = tmp_path / ".X11-unix"
    monkeypatch.setattr(namespaces, "X_DIRECTORY", directory)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(system_calls, "unshare", _stay)
    monkeypatch.setattr(system_calls, "make_mounts_private", _stay)
    return directory


def _stay(*_: int) -> None:
    """Leave nothing."""


def test_sockets_of_x_servers_are_for_all_users_whatever_the_mask(left: Path) -> None:
    before = os.umask(0o077)
    try:
        namespaces.leave(network=False)
    finally:
        os.umask(before)
    assert left.stat().st_mode & 0o7777 == 0o1777


def test_a_directory_that_is_there_stays_as_it_is(left: Path) -> None:
    left.mkdir(mode=0o700)
    namespaces.leave(network=False)
    assert left.stat().st_mode & 0o7777 == 0o700

"""A machine keeps its name, whatever its host is called, and whichever worker asks first."""

import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cartrita.adapters.desktop.machines import machine_of


def test_a_host_of_another_name_with_the_same_data_is_the_same_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = machine_of(tmp_path / "data")
    monkeypatch.setattr(socket, "gethostname", lambda: "another")
    assert machine_of(tmp_path / "data") == first
    assert machine_of(tmp_path / "others") != first


def test_workers_that_begin_at_once_have_one_name_and_leave_no_drafts(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as workers:
        named = set(workers.map(machine_of, [tmp_path] * 32))
    assert len(named) == 1
    assert [path.read_text() for path in tmp_path.iterdir()] == [*named]

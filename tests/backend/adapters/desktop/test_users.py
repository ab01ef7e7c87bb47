"""No desktop is given the user of another."""

import os
from pathlib import Path

import pytest

from cartrita.adapters.desktop import remnants, users
from cartrita.domain.errors import Unavailable


def test_who_has_a_process_and_a_directory_is_in_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cartrita-desktop-1").mkdir()
    monkeypatch.setattr(remnants, "_PLACE", tmp_path)
    me = os.geteuid()
    monkeypatch.setattr(users, "NUMBERS", range(me, me + 1))
    with pytest.raises(Unavailable):
        users.unused()  # this very process has it, and the directory


def test_who_has_neither_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    number = 4_000_000_000
    me = os.geteuid()
    monkeypatch.setattr(users, "NUMBERS", (me, number))
    assert {users.unused() for _ in range(20)} == {number}

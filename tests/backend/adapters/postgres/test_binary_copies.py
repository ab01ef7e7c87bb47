"""The copy of the binaries for a user who cannot read the originals."""

import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from tests.backend.adapters.postgres.conftest import AS_ROOT

from cartrita.adapters.postgres import Binaries, Supervisor, errors, find, os_users, psql
from cartrita.adapters.postgres.binary_copies import ensure_runnable


@pytest.fixture
def closed(commons: Path) -> Binaries:
    """The wheel's PostgreSQL as pip leaves it under a strict umask in a closed home."""
    found = find()
    if found.source != "wheel":
        pytest.skip("only the wheel's binaries are copied, and it is not installed")
    home = commons / "home"
    if not home.exists():
        home.mkdir(mode=0o700)
        for folder in found.copied_folders:
            shutil.copytree(folder, home / folder.relative_to(found.root), symlinks=True)
        subprocess.run(["chmod", "-R", "go=", str(home)], check=True)
    return replace(
        found,
        folder=home / found.folder.relative_to(found.root),
        root=home,
        copied_folders=tuple(
            home / folder.relative_to(found.root) for folder in found.copied_folders
        ),
    )


@AS_ROOT
def test_two_who_copy_at_once_share_one_copy(closed: Binaries, commons: Path) -> None:
    fallback = commons / "fallback"
    user = os_users.choose("nobody")
    with ThreadPoolExecutor(2) as pool:
        copies = list(pool.map(ensure_runnable, [closed] * 2, [user] * 2, [[fallback]] * 2))
    assert copies[0] == copies[1]
    assert copies[0].root.parent == fallback
    assert [path.name for path in fallback.iterdir()] == [closed.release]
    before = copies[0].folder.stat().st_ino
    assert ensure_runnable(closed, user, [fallback]).folder.stat().st_ino == before


@AS_ROOT
def test_a_database_runs_from_the_copy(closed: Binaries, commons: Path, workspace: Path) -> None:
    fallback = commons / "fallback"
    supervisor = Supervisor(workspace / "data", chosen=closed, fallbacks=[fallback])
    endpoint = supervisor.start()
    try:
        assert psql.run(closed, endpoint, "SELECT 1") == "1"
    finally:
        supervisor.stop()
    assert [path.name for path in fallback.iterdir()] == [closed.release]
    assert closed.root.stat().st_mode & 0o777 == 0o700


@AS_ROOT
def test_somebody_elses_folder_is_not_used(closed: Binaries, workspace: Path) -> None:
    squatted = workspace / "squatted"
    squatted.mkdir(mode=0o777)
    os.chown(squatted, 12345, -1)
    open_to_all = workspace / "open"
    open_to_all.mkdir()
    open_to_all.chmod(0o777)
    with pytest.raises(errors.DataDirectoryInaccessible):
        ensure_runnable(closed, os_users.choose("nobody"), [squatted, open_to_all])
    assert not list(squatted.iterdir())
    assert not list(open_to_all.iterdir())


@AS_ROOT
def test_system_binaries_that_cannot_be_run_are_said(closed: Binaries, workspace: Path) -> None:
    system = replace(closed, source="system", copied_folders=())
    with pytest.raises(errors.OsUserUnusable, match="nobody"):
        ensure_runnable(system, os_users.choose("nobody"), [workspace / "fallback"])


def test_ones_own_binaries_stay_where_they_are(workspace: Path) -> None:
    found = find()
    ourselves = os_users.from_uid(os.geteuid())
    assert ensure_runnable(found, ourselves, [workspace / "fallback"]) is found
    assert not list(workspace.iterdir())

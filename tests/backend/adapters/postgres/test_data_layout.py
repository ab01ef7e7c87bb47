"""Where the database lies and who owns it: closed homes, strict umasks, other owners."""

import os
import shutil
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.backend.adapters.postgres.conftest import (
    AS_ROOT,
    Parent,
)

from cartrita.adapters.postgres import Supervisor, errors

Parents = Callable[..., Parent]
Sql = Callable[[str, str], str]


def modes_above(path: Path) -> dict[Path, tuple[int, int]]:
    return {
        folder: (folder.stat().st_mode, folder.stat().st_uid)
        for folder in path.parents
        if folder.exists()
    }


def test_a_folder_that_is_no_database_is_refused(parents: Parents, workspace: Path) -> None:
    cluster = workspace / "data" / "postgres"
    cluster.mkdir(parents=True)
    (cluster / "somebodys.txt").write_text("mine")
    assert parents().refused()["kind"] == "ClusterMissing"
    assert (cluster / "somebodys.txt").read_text() == "mine"


def test_an_empty_folder_is_filled(parents: Parents, workspace: Path) -> None:
    (workspace / "data" / "postgres").mkdir(parents=True)
    parents().started()


@AS_ROOT
def test_an_ordinary_user_is_told_whose_database_it_is(parents: Parents, stored: Path) -> None:
    stored.chmod(0o777)
    (stored / "lock").unlink()
    (stored / "postgres").chmod(0o755)
    os.chown(stored / "postgres", 12345, -1)
    refused = parents(who="ordinary").refused()
    assert refused["kind"] == "DataDirectoryUnwritable"
    assert "12345" in refused["sentence"]


@AS_ROOT
def test_under_a_closed_home_the_files_lie_outside_and_no_mode_changes(
    parents: Parents, sql: Sql, workspace: Path
) -> None:
    home = workspace / "home"
    home.mkdir(mode=0o700)
    data_dir = home / ".local" / "share" / "cartrita"
    before = modes_above(data_dir)
    first = parents(data_dir)
    sql(first.started()["dsn"], "CREATE TABLE kept AS SELECT 42 AS answer")
    first.stop()
    assert (data_dir / "postgres").is_symlink()
    assert first.cluster.is_relative_to(workspace / "fallback")
    assert first.cluster.stat().st_uid != 0

    # Opening the home later must not make it look for the database where it is not.
    home.chmod(0o755)
    before[home] = (home.stat().st_mode, 0)
    for folder in (data_dir.parent, data_dir.parent.parent):
        before[folder] = (folder.stat().st_mode, 0)
    second = parents(data_dir)
    assert sql(second.started()["dsn"], "SELECT answer FROM kept") == "42"
    second.stop()
    after = modes_above(data_dir)
    assert before == {folder: after[folder] for folder in before}

    shutil.rmtree(first.cluster)
    refused = parents(data_dir).refused()
    assert refused["kind"] == "ClusterMissing"
    assert str(first.cluster) in refused["sentence"]


@AS_ROOT
def test_a_copied_data_directory_leads_to_the_same_database_and_the_same_lock(
    parents: Parents, workspace: Path
) -> None:
    home = workspace / "home"
    home.mkdir(mode=0o700)
    first = parents(home / "data")
    first.started()
    subprocess.run(["cp", "-a", str(home / "data"), str(home / "copy")], check=True)
    refused = parents(home / "copy").refused()
    assert refused["kind"] == "DataDirectoryInUse"
    assert f"process {first.pid}" in refused["sentence"]
    assert first.send("poll") == {"code": None, "answers": True}


@AS_ROOT
def test_a_home_closed_later_is_refused_and_not_opened(parents: Parents, workspace: Path) -> None:
    home = workspace / "home"
    home.mkdir(mode=0o755)
    first = parents(home / "data")
    first.started()
    first.stop()
    home.chmod(0o700)
    refused = parents(home / "data").refused()
    assert refused["kind"] == "DataDirectoryInaccessible"
    assert "nobody" in refused["sentence"]
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


@AS_ROOT
def test_a_strict_umask_is_respected(parents: Parents, workspace: Path) -> None:
    parent = parents(workspace / "deep" / "data", umask=0o077)
    parent.started()
    for folder in (workspace / "deep", workspace / "deep" / "data"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert (workspace / "deep" / "data" / "postgres").is_symlink()


@AS_ROOT
def test_root_runs_a_database_as_its_owner(parents: Parents, sql: Sql, workspace: Path) -> None:
    ordinary = parents(who="ordinary")
    sql(ordinary.started()["dsn"], "CREATE TABLE kept AS SELECT 42 AS answer")
    ordinary.stop()
    root = parents()
    assert sql(root.started()["dsn"], "SELECT answer FROM kept") == "42"


@AS_ROOT
def test_a_database_of_a_user_without_a_name_is_refused(parents: Parents, stored: Path) -> None:
    os.chown(stored / "postgres", 12345, -1)
    refused = parents().refused()
    assert refused["kind"] == "OsUserUnusable"
    assert "12345" in refused["sentence"]


@AS_ROOT
def test_files_of_root_are_refused(parents: Parents, stored: Path) -> None:
    os.chown(stored / "postgres", 0, -1)
    refused = parents().refused()
    assert refused["kind"] == "OsUserUnusable"
    assert "root" in refused["sentence"]


@AS_ROOT
@pytest.mark.parametrize("name", ["root", "no-such-user"])
def test_a_user_who_will_not_do_is_refused(serve: Callable[..., Supervisor], name: str) -> None:
    with pytest.raises(errors.OsUserUnusable, match=name):
        serve(empty=True, run_as=name).start()

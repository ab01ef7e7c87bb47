"""A folder of a desktop belongs to its host while that lives, and is removed when it does not."""

import asyncio
import multiprocessing
import os
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from uuid import uuid4

import pytest

from cartrita.adapters.desktop import folders
from cartrita.adapters.desktop.desktops import LocalDesktops
from cartrita.domain.desktop import DesktopId
from cartrita.domain.errors import Unavailable


def hold(folder: Path, told: Connection) -> None:
    """Claim it, tell so, and live until killed."""
    folders.claim(folder)
    told.send("claimed")
    signal.pause()


def announce(folder: Path, told: Connection) -> None:
    """The same of a worker that is about to start one."""
    with folders.announced(folder):
        told.send("claimed")
        signal.pause()


@pytest.fixture
def held(tmp_path: Path) -> "Held":
    return Held(tmp_path / "desktops" / "a")


class Held:
    """A folder that another process has claimed."""

    def __init__(self, folder: Path, how: Callable[[Path, Connection], None] = hold) -> None:
        self.folder = folder
        ours, theirs = multiprocessing.Pipe()
        self.process = multiprocessing.get_context("spawn").Process(
            target=how, args=(folder, theirs)
        )
        self.process.start()
        assert ours.recv() == "claimed"

    def kill(self) -> None:
        assert self.process.pid is not None
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.join()


def test_it_is_kept_while_its_host_lives(held: Held) -> None:
    (held.folder / "socket").touch()
    try:
        folders.remove_dead(held.folder.parent)
        assert not folders.remove_if_dead(held.folder)
        assert (held.folder / "socket").exists()
        with pytest.raises(BlockingIOError):
            folders.claim(held.folder)
    finally:
        held.kill()
    folders.remove_dead(held.folder.parent)
    assert list(held.folder.parent.iterdir()) == []


def test_one_without_a_host_is_removed_with_all_in_it(tmp_path: Path) -> None:
    folder = tmp_path / "desktops" / "a"
    os.close(folders.claim(folder))
    (folder / "socket").touch()
    (folder / "more").mkdir()
    assert folders.remove_if_dead(folder)
    assert not folder.exists()
    assert folders.remove_if_dead(folder)


def test_nobody_else_may_enter_it(tmp_path: Path) -> None:
    folder = tmp_path / "desktops" / "a"
    os.close(folders.claim(folder))
    assert folder.stat().st_mode & 0o777 == 0o700
    assert folder.parent.stat().st_mode & 0o777 == 0o700


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (tmp_path / "desktops").mkdir()
    (tmp_path / "desktops" / "a").symlink_to(kept)
    with pytest.raises(OSError, match=r"Not a directory|Too many levels"):
        folders.claim(tmp_path / "desktops" / "a")
    folders.remove_dead(tmp_path / "desktops")
    assert kept.exists()


def test_where_there_are_none_nothing_is_removed(tmp_path: Path) -> None:
    folders.remove_dead(tmp_path / "desktops")
    assert list(tmp_path.iterdir()) == []


def test_what_is_announced_is_begun_for_as_long_as_its_worker_lives(tmp_path: Path) -> None:
    folder = tmp_path / "desktops" / "0a"
    assert not folders.is_begun(folder)
    with folders.announced(folder):
        folders.remove_dead(folder.parent)  # as another server does that starts
        assert folders.is_begun(folder)
    assert not folders.is_begun(folder)
    host = folders.claim(folder)
    assert folders.is_begun(folder)
    os.close(host)
    assert folder.exists()
    assert not folders.is_begun(folder), "nobody starts what a killed host or worker has left"


def test_the_folder_of_one_that_is_about_to_be_started_is_kept(tmp_path: Path) -> None:
    folder = tmp_path / "desktops" / "0a"
    with folders.announced(folder):
        folders.make(folder)
        folders.remove_dead(folder.parent)
        assert folder.exists(), "a container has it, whose host has not claimed it yet"
    folders.remove_dead(folder.parent)
    assert not folder.exists(), "nobody starts it any more"


async def test_what_cannot_be_announced_is_not_started(tmp_path: Path) -> None:
    folder = tmp_path / "desktops"
    folder.touch()
    async with asyncio.TaskGroup() as tasks:
        desktops = LocalDesktops(
            folder, tasks, isolation=None, missing=(), container_command=(), hidden=()
        )
        with (
            pytest.raises(Unavailable, match="cannot be started here: File exists") as refused,
            desktops.announced(DesktopId(uuid4())),
        ):
            raise AssertionError("it begins all the same")
    assert refused.value.code == "desktop_unavailable"


def test_a_file_that_cannot_be_removed_announces_nothing_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Path) -> None:
        raise PermissionError

    folder = tmp_path / "desktops" / "a"
    with monkeypatch.context() as patch, folders.announced(folder):
        patch.setattr(Path, "unlink", refuse)
        assert folders.is_begun(folder)
    assert [*folder.parent.iterdir()] != []
    assert not folders.is_begun(folder)


def test_a_killed_worker_has_announced_nothing_and_what_it_left_is_removed(tmp_path: Path) -> None:
    worker = Held(tmp_path / "desktops" / "a", announce)
    try:
        assert folders.is_begun(worker.folder)
    finally:
        worker.kill()
    assert not folders.is_begun(worker.folder)
    assert [*worker.folder.parent.iterdir()] != []
    folders.remove_dead(worker.folder.parent)
    assert [*worker.folder.parent.iterdir()] == []

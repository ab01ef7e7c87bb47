"""A container in which programs would reach more than their own desktop is no place for one."""

import os
from pathlib import Path

import pytest

from cartrita.adapters.desktop.host import containers
from cartrita.adapters.desktop.host.containers import shortcoming


@pytest.fixture
def mounted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is shown by itself, of a process that is root's."""
    folder = tmp_path / "some desktops" / "a"
    folder.mkdir(parents=True)
    mounts = tmp_path / "mountinfo"
    shown = str(folder).replace(" ", "\\040")
    mounts.write_text(
        "1 2 0:3 / / rw - overlay none rw\n"
        f"4 1 0:5 /d/desktops/a {shown} rw - ext4 /dev/x rw\n"
        "5 1 0:5 /d/containers/c/hosts /etc/hosts rw - ext4 /dev/x rw\n"
    )
    monkeypatch.setattr(containers, "_MOUNTS", mounts)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return folder


def test_where_its_folder_is_shown_by_itself_it_runs(mounted: Path) -> None:
    assert shortcoming(mounted) is None


def test_where_it_is_not_mounted_by_itself_it_does_not(mounted: Path) -> None:
    beside = mounted.with_name("b")
    assert shortcoming(beside) == (
        f"Its container does not show {beside} by itself: mount {{folder}}, and not what all "
        "desktops have in common."
    )


@pytest.mark.parametrize("root", ["/d/desktops", "/d", "/", "/d/desktops/b"])
@pytest.mark.parametrize("place", ["/mnt", "{parent}"])
def test_where_all_desktops_are_shown_somewhere_too_it_does_not(
    mounted: Path, tmp_path: Path, root: str, place: str
) -> None:
    mounts = tmp_path / "mountinfo"
    at = place.format(parent=str(mounted.parent).replace(" ", "\\040"))
    mounts.write_text(f"3 1 0:5 {root} {at} rw - ext4 /dev/x rw\n{mounts.read_text()}")
    assert str(shortcoming(mounted)).startswith(f"Its container does not show {mounted} by itself:")


def test_where_another_is_seen_beside_it_it_does_not(mounted: Path) -> None:
    mounted.with_name("b").mkdir()
    assert str(shortcoming(mounted)).startswith(f"Its container does not show {mounted} by itself:")


def test_where_programs_can_have_no_user_of_their_own_it_does_not(
    mounted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert str(shortcoming(mounted)).startswith("Its container does not run as root:")

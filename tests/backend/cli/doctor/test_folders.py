"""Rights and room: of a directory that is there, that is not, and that is full."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cartrita.cli.doctor.findings import Finding
from cartrita.cli.doctor.folders import examine_folders, free_bytes
from cartrita.settings import load

PLENTY = 50 << 30


def examined(folder: Path, free: int = PLENTY, **environ: str) -> dict[str, Finding]:
    settings = load({"CARTRITA_DATA_DIR": str(folder), **environ}, folder.parent)
    return {one.name: one for one in examine_folders(settings, lambda _: free)}


def statuses(found: dict[str, Finding]) -> dict[str, str]:
    return {name: one.status for name, one in found.items()}


def test_all_is_well(tmp_path: Path) -> None:
    assert statuses(examined(tmp_path)) == {"data directory": "ok", "disk": "ok"}
    assert list(tmp_path.iterdir()) == [], "nothing is left of it"


def test_nothing_is_made_before_the_first_start(tmp_path: Path) -> None:
    folder = tmp_path / "not" / "yet"
    assert statuses(examined(folder)) == {"data directory": "ok", "disk": "ok"}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("free", "status"), [(PLENTY, "ok"), (500 << 20, "warning"), (10 << 20, "problem")]
)
def test_room(tmp_path: Path, free: int, status: str) -> None:
    assert examined(tmp_path, free)["disk"].status == status


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Path]:
    """A disk without room."""
    folder = tmp_path / "full"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip("this user cannot mount anything")
    with (folder / "all").open("wb", buffering=0) as file:
        try:
            while file.write(b"x" * 4096) == 4096:
                pass
        except OSError:
            pass
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk(full: Path) -> None:
    found = examined(full, free_bytes(full))
    assert found["data directory"].status == "problem"
    assert "No space left" in found["data directory"].detail
    assert found["disk"].status == "problem"


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk that nobody may write to, not even root."""
    folder = tmp_path / "fixed"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "ro,size=64k", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip("this user cannot mount anything")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_folder_that_cannot_be_written_to(read_only: Path) -> None:
    found = examined(read_only)["data directory"]
    assert found.status == "problem"
    assert "CARTRITA_DATA_DIR" in found.fix


def test_secrets_that_others_may_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("x" * 48)
    secret.chmod(0o644)
    assert examined(tmp_path)["secrets"].fix == f"Run: chmod 600 {secret}"
    secret.chmod(0o600)
    assert "secrets" not in examined(tmp_path)


def test_the_log_file(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    assert examined(tmp_path, CARTRITA_LOG_FILE=str(path))["log file"].status == "ok"
    assert not path.exists()
    path.mkdir()
    assert examined(tmp_path, CARTRITA_LOG_FILE=str(path))["log file"].status == "problem"
    nowhere = str(tmp_path / "no" / "a.log")
    assert examined(tmp_path, CARTRITA_LOG_FILE=nowhere)["log file"].status == "problem"
    os.rmdir(path)

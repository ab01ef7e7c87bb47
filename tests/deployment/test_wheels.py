"""The wheels: what is in them, and that the same sources make the same bytes."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = {"backend": "cartrita", "client": "cartrita_client"}
_MOST_BYTES = {"backend": 5_500_000, "client": 300_000}
"""Whoever needs more says so here; half of the first are the tables that count tokens."""


@pytest.fixture(scope="module", params=PACKAGES)
def distribution(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def wheel(distribution: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(distribution, tmp_path_factory.mktemp("wheel"))


def build(distribution: str, folder: Path, written_at: float | None = None) -> Path:
    """Its wheel, from a copy of the sources, all of which were written at some time."""
    unwanted = shutil.ignore_patterns("__pycache__", "*.egg-info", "dist")
    shutil.copytree(ROOT / distribution, folder / distribution, ignore=unwanted)
    shutil.copytree(ROOT / "migrations", folder / "migrations", ignore=unwanted)
    if written_at is not None:
        for path in folder.rglob("*"):
            os.utime(path, (written_at, written_at))
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=folder / distribution,
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("*.whl")
    return built


def names(wheel: Path) -> list[str]:
    with ZipFile(wheel) as archive:
        return archive.namelist()


def test_the_same_sources_make_the_same_bytes(
    wheel: Path, distribution: str, tmp_path: Path
) -> None:
    again = build(distribution, tmp_path, written_at=1e9)
    assert again.name == wheel.name
    assert again.read_bytes() == wheel.read_bytes()


def test_nothing_runs_before_it_is_imported(wheel: Path) -> None:
    """A `.pth` file is run by each start of Python."""
    assert [name for name in names(wheel) if name.endswith((".pth", ".so", ".pyd"))] == []


def test_it_has_its_package_and_nothing_else(wheel: Path, distribution: str) -> None:
    package = PACKAGES[distribution]
    tops = {name.split("/")[0] for name in names(wheel)}
    assert tops == {package, f"{package}-0.1.0.dist-info"}
    assert f"{package}/py.typed" in names(wheel)
    assert set(tracked(ROOT / distribution, package)) <= set(names(wheel))


def test_the_migrations_are_in_the_server_s(wheel: Path, distribution: str) -> None:
    packed = {name for name in names(wheel) if "/_migrations/" in name}
    expected = tracked(ROOT / "migrations", ".") if distribution == "backend" else []
    assert packed >= {f"cartrita/_migrations/{name}" for name in expected}
    assert bool(packed) == bool(expected)


def tracked(folder: Path, within: str) -> list[str]:
    """What is under version control in a folder of it."""
    done = subprocess.run(
        ["git", "ls-files", "-z", within], cwd=folder, check=True, capture_output=True, text=True
    )
    return [name for name in done.stdout.split("\0") if name]


def test_it_is_not_heavier_than_it_may_be(wheel: Path, distribution: str) -> None:
    assert wheel.stat().st_size < _MOST_BYTES[distribution]

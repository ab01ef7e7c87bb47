"""backend/Dockerfile, checked by reading it: no daemon is needed."""

import re
import subprocess
from fnmatch import fnmatch
from pathlib import Path

import pytest
from tests.deployment.dockerfile import Stage, read

from cartrita.settings import load

ROOT = Path(__file__).parents[2]
STAGES = read(ROOT / "backend" / "Dockerfile")
BUILD, FINAL = STAGES


def copied(stage: Stage) -> list[str]:
    """The sources of a stage's COPY from the context."""
    copies = [one for one in stage.all("COPY") if "from" not in one.flags]
    return [source for one in copies for source in one.rest.split()[:-1]]


def let_in(path: str) -> bool:
    """Whether .dockerignore lets a path of the context in; the last pattern that fits decides."""
    kept = True
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        pattern = line.strip().removeprefix("!").removeprefix("**/")
        if not pattern or pattern.startswith("#"):
            continue
        below = line.strip().removeprefix("!").startswith("**/")
        names = path.split("/") if below else [path, path.split("/")[0]]
        if any(fnmatch(name, pattern) for name in names):
            kept = line.startswith("!")
    return kept


def test_everything_copied_exists_and_is_let_in() -> None:
    sources = copied(BUILD) + copied(FINAL)
    assert sources
    for source in sources:
        assert (ROOT / source).exists(), source
        assert let_in(source), source


@pytest.mark.parametrize(
    "path", [".env", ".git", "tests", "data", "backend/cartrita/__pycache__", ".venv"]
)
def test_nothing_else_is_let_in(path: str) -> None:
    assert not let_in(path)


def test_what_the_package_is_built_from_is_copied() -> None:
    text = (ROOT / "backend" / "pyproject.toml").read_text()
    outside = re.findall(r'"\.\./(\w+)"', text)
    assert outside == ["migrations"]
    assert set(outside) <= set(copied(BUILD))


def test_dependencies_are_checked_by_hash() -> None:
    installs = [one.rest for one in BUILD.all("RUN") if "install" in one.rest]
    locked = [one for one in installs if "--require-hashes" in one]
    assert [one for one in locked if "-r requirements.lock" in one]
    assert all("--no-deps" in one for one in installs if one not in locked)


def test_it_does_not_run_as_root() -> None:
    user, group = FINAL.last("USER").rest.split(":")
    assert int(user) > 0
    assert int(group) > 0
    after = FINAL.instructions[FINAL.instructions.index(FINAL.last("USER")) :]
    assert not [one for one in after if one.word in {"RUN", "COPY", "ADD", "USER"}][1:]


def test_its_images_are_slim_and_of_one_version() -> None:
    assert {stage.image for stage in STAGES} == {"python:3.11-slim-bookworm"}
    assert all(stage.all("ADD") == [] for stage in STAGES)


def test_it_runs_without_a_shell() -> None:
    assert FINAL.last("ENTRYPOINT").exec_form == ["cartrita"]
    assert FINAL.last("CMD").exec_form == ["serve"]


def test_it_holds_no_secret() -> None:
    for stage in STAGES:
        for one in [*stage.all("ENV"), *stage.all("ARG")]:
            assert not re.search(r"SECRET|PASSWORD|_KEY", one.rest), one.rest


def test_the_server_accepts_its_environment(tmp_path: Path) -> None:
    pairs = dict(pair.split("=", 1) for one in FINAL.all("ENV") for pair in one.rest.split())
    settings = load(pairs, tmp_path, {})
    assert settings.server.host == "0.0.0.0"
    assert str(settings.data_dir) == FINAL.last("WORKDIR").rest
    assert settings.server.port == int(FINAL.last("EXPOSE").rest)
    assert FINAL.last("VOLUME").exec_form == [str(settings.data_dir)]


def test_the_health_check_is_a_program_and_not_a_shell() -> None:
    command = health_check()
    assert command[0] == "python"
    assert "/health" in command[-1]
    compile(command[-1], "HEALTHCHECK", "exec")


def test_the_health_check_fails_where_nobody_listens() -> None:
    command = health_check()
    done = subprocess.run(
        ["python3", *command[1:]],
        env={"PATH": "/usr/bin:/bin", "CARTRITA_PORT": "1"},
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode != 0


def health_check() -> list[str]:
    check = FINAL.last("HEALTHCHECK")
    word, _, rest = check.rest.partition(" ")
    assert word == "CMD"
    command = type(check)("CMD", rest, {}).exec_form
    assert command is not None
    return command

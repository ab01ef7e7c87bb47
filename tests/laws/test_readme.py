"""The README's two lines: outsiders cut them out and run them."""

import re
import shlex
import tomllib

import pytest
from tests.laws.tree import ROOT

README = (ROOT / "README.md").read_text()


def line_after(mark: str) -> str:
    """The one line in the code block after a mark."""
    found = re.search(rf"(?m)^<!-- {mark} -->\n```\w*\n(.+)\n```$", README)
    assert found, mark
    return found[1]


@pytest.mark.parametrize("mark", ["serve", "test"])
def test_the_mark_stands_once(mark: str) -> None:
    assert README.splitlines().count(f"<!-- {mark} -->") == 1


@pytest.mark.parametrize(
    ("mark", "lock", "last"),
    [
        ("serve", "requirements.lock", ".venv/bin/cartrita serve"),
        ("test", "requirements-dev.lock", ".venv/bin/poe test"),
    ],
)
def test_the_line_sets_up_and_acts(mark: str, lock: str, last: str) -> None:
    steps = [step.strip() for step in line_after(mark).split("&&")]
    assert steps[0] == "python3 -m venv .venv"
    assert f"-r {lock}" in steps[-2]
    assert steps[-1] == last


@pytest.mark.parametrize("mark", ["serve", "test"])
def test_the_line_starts_only_what_python_brings_or_it_has_installed(mark: str) -> None:
    for step in line_after(mark).split("&&"):
        program = next(word for word in shlex.split(step) if "=" not in word)
        assert program == "python3" or program.startswith(".venv/bin/"), program


def test_the_task_it_runs_is_pytest_and_selects_nothing() -> None:
    tasks = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["poe"]["tasks"]
    program, *options = shlex.split(tasks["test"]["cmd"])
    assert program == "pytest"
    harmless = ("--numprocesses", "--dist", "--no-loadscope-reorder", "--max-worker-restart")
    assert all(option.startswith(harmless) for option in options)

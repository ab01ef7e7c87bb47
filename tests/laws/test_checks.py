"""The static checks hold, also for who only runs the tests: ruff and the floors."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.laws.tree import ROOT

_BIN = Path(sys.executable).parent


@pytest.mark.parametrize(
    "check",
    [
        ["ruff", "check", "--no-cache", "."],
        ["ruff", "format", "--no-cache", "--check", "."],
        ["lint-imports", "--no-cache"],
    ],
    ids=" ".join,
)
def test_a_check_holds(check: list[str]) -> None:
    program, *arguments = check
    done = subprocess.run(
        [_BIN / program, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr

"""The command line refuses what it cannot use, before anything else happens."""

import subprocess
import sys

import pytest

from cartrita.cli.main import main


@pytest.mark.parametrize(
    "arguments",
    [
        ["keys", "create", "x", "--days", "nan"],
        ["keys", "create", "x", "--days", "-1"],
        ["keys", "create", "x", "--days", "1e12"],
        ["keys", "rotate", "0123456789abcdef", "--overlap", "inf"],
        ["keys", "rotate", "0123456789abcdef", "--overlap", "soon"],
    ],
)
def test_a_time_that_cannot_be(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 2
    assert arguments[-1] in capsys.readouterr().err


def test_what_nobody_expected_is_told_without_its_values() -> None:
    """Python itself would print all of a message, which may hold what somebody wrote."""
    broken = "raise ValueError('it broke' + chr(10) + 'DETAIL: canary-' + str(77))"
    program = f"""
import cartrita.cli.main as main
def run(_):
    {broken}
main._run = run
main.main(["login"])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 1
    assert "command_failed" in done.stderr
    assert "ValueError: it broke" in done.stderr
    assert "canary-77" not in done.stderr + done.stdout

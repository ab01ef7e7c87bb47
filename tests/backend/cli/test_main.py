"""The command line refuses what it cannot use, before anything else happens."""

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

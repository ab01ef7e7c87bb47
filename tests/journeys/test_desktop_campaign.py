"""Twenty kills of app, desktops and Postgres in the middle of tasks with approvals."""

import pytest
from tests.harness.desktop_campaign import run

# python-xlib closes no socket of a connection that it could not make.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.usefixtures("collected"),
]


def test_what_nobody_allowed_is_not_done_and_nothing_is_done_twice() -> None:
    report = run(seed=20, kills=20)
    assert report.problems == [], "\n".join(report.lines())
    assert sum(report.killed.values()) == 20
    assert len(report.done) > 10
    assert report.decided["deny"] > 0

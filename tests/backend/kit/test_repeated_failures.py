"""Each kind of failure is told in full once, and then by its name until the work succeeds."""

from collections.abc import Callable
from typing import Any

from structlog.testing import capture_logs

from cartrita.kit.repeated_failures import RepeatedFailures


def first_place() -> None:
    raise ValueError("one")


def other_place(text: str = "two") -> None:
    raise ValueError(text)


def told(failures: RepeatedFailures, work: str, failing: Callable[[], None]) -> Any:
    with capture_logs() as logs:
        try:
            failing()
        except ValueError as error:
            failures.exception(work, error=error, of=work)
    [entry] = logs
    assert (entry["event"], entry["of"]) == ("work_failed", work)
    return entry


def in_full(failures: RepeatedFailures, work: str, failing: Callable[[], None]) -> bool:
    entry = told(failures, work, failing)
    if entry["log_level"] == "error":
        assert isinstance(entry["exc_info"], ValueError)
        return True
    assert (entry["log_level"], entry["error"]) == ("warning", "ValueError")
    assert "exc_info" not in entry
    return False


def test_a_kind_is_an_error_and_its_place() -> None:
    failures = RepeatedFailures("work_failed")
    assert in_full(failures, "a", first_place)
    assert not in_full(failures, "a", first_place)
    assert in_full(failures, "b", first_place)
    assert in_full(failures, "a", other_place)
    assert not in_full(failures, "a", lambda: other_place("three"))
    for error in (ValueError(), KeyError()):  # not raised, so that they have no place
        with capture_logs() as logs:
            failures.exception("a", error=error)
        assert logs[0]["log_level"] == "error"


def test_after_a_success_it_is_new_again() -> None:
    failures = RepeatedFailures("work_failed")
    failures.forget("a")
    assert in_full(failures, "a", first_place)
    assert in_full(failures, "b", first_place)
    failures.forget("a")
    assert in_full(failures, "a", first_place)
    assert not in_full(failures, "b", first_place)

"""Each kind of failure is new once, until the work succeeds."""

from cartrita.kit.repeated_failures import RepeatedFailures


def first_place() -> None:
    raise ValueError("one")


def other_place(text: str = "two") -> None:
    raise ValueError(text)


def failure_of(work: object) -> Exception:
    assert callable(work)
    try:
        work()
    except ValueError as error:
        return error
    raise AssertionError


def test_a_kind_is_an_error_and_its_place() -> None:
    failures = RepeatedFailures()
    assert failures.is_new("a", failure_of(first_place))
    assert not failures.is_new("a", failure_of(first_place))
    assert failures.is_new("b", failure_of(first_place))
    assert failures.is_new("a", failure_of(other_place))
    assert not failures.is_new("a", failure_of(lambda: other_place("three")))
    assert failures.is_new("a", ValueError())
    assert failures.is_new("a", KeyError())


def test_after_a_success_it_is_new_again() -> None:
    failures = RepeatedFailures()
    failures.forget("a")
    failures.is_new("a", failure_of(first_place))
    failures.is_new("b", failure_of(first_place))
    failures.forget("a")
    assert failures.is_new("a", failure_of(first_place))
    assert not failures.is_new("b", failure_of(first_place))

"""One table from kind to status; it knows every kind and every code of ours."""

from collections.abc import Iterator

import pytest
from tests.backend.surfaces.stopped_runs import RUN, stopped

from cartrita.domain import endings
from cartrita.domain import errors as domain
from cartrita.domain.errors import CartritaError, ErrorKind, UpstreamError
from cartrita.domain.events import RunStopped, StopStatus
from cartrita.domain.fold import Fold
from cartrita.surfaces.framework_errors import MethodNotAllowed
from cartrita.surfaces.native.errors import STATUS, status_of
from cartrita.surfaces.native.waiting import AnswerStopped
from cartrita.surfaces.request_limits import REQUEST_TIMEOUT, URI_TOO_LONG


def every_error() -> Iterator[type[CartritaError]]:
    for value in vars(domain).values():
        if isinstance(value, type) and issubclass(value, CartritaError):
            yield value


def test_every_kind_has_a_status() -> None:
    assert set(STATUS) == set(ErrorKind)


@pytest.mark.parametrize("error", list(every_error()))
def test_a_failed_run_answers_as_its_error_would_have(error: type[CartritaError]) -> None:
    assert status_of(stopped(StopStatus.FAILED, error.kind)) == STATUS[error.kind]


def test_an_ending_says_what_kind_of_error_it_was() -> None:
    error = domain.UpstreamLimited("-", provider="p", code="a code of theirs")
    for ending in (endings.failed(Fold(), error), endings.unstorable(error)):
        assert isinstance(ending.event, RunStopped)
        assert status_of(AnswerStopped(ending.event, RUN, "")) == 429


@pytest.mark.parametrize(
    ("kind", "error_kind", "status"),
    [
        (StopStatus.FAILED, ErrorKind.UPSTREAM, 502),
        (StopStatus.FAILED, ErrorKind.RATE_LIMITED, 429),
        (StopStatus.FAILED, ErrorKind.DEADLINE, 504),
        (StopStatus.FAILED, ErrorKind("of_2027"), 500),
        (StopStatus.CANCELLED, ErrorKind.INTERNAL, 409),
        (StopStatus.INTERRUPTED, ErrorKind.UPSTREAM, 502),
        (StopStatus.INTERRUPTED, ErrorKind.INTERNAL, 503),
    ],
)
def test_how_a_stopped_run_answers(kind: StopStatus, error_kind: ErrorKind, status: int) -> None:
    assert status_of(stopped(kind, error_kind)) == status


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (domain.TooLarge("-", code=URI_TOO_LONG), 414),
        (domain.DeadlineExceeded("-", code=REQUEST_TIMEOUT), 408),
        (MethodNotAllowed(["GET"]), 405),
        (UpstreamError("-", provider="p", code="anything"), 502),
    ],
)
def test_codes_with_a_status_of_their_own(error: CartritaError, status: int) -> None:
    assert status_of(error) == status


def test_a_credential_that_the_caller_brought_is_the_callers_matter() -> None:
    for error, status in (
        (domain.UpstreamAuth("-", provider="p", details={"credential": "own"}), 401),
        (domain.UpstreamQuota("-", provider="p", details={"credential": "own"}), 402),
        (domain.UpstreamAuth("-", provider="p"), 502),
    ):
        assert status_of(error) == status
        ending = endings.failed(Fold(), error)
        assert isinstance(ending.event, RunStopped)
        assert status_of(AnswerStopped(ending.event, RUN, "")) == status

"""A run that ended early is reported as the call would have been that it made."""

import pytest
from msgspec.structs import replace

from cartrita.dialects import openai_error_rendering
from cartrita.dialects.anthropic_messages import error_rendering
from cartrita.domain import endings
from cartrita.domain.errors import (
    CartritaError,
    Conflict,
    DeadlineExceeded,
    ErrorKind,
    InvalidInput,
    RateLimited,
    StorageFull,
    TooLarge,
    Unavailable,
    UpstreamError,
    UpstreamOverloaded,
    UpstreamQuota,
    UpstreamRejected,
)
from cartrita.domain.events import RunStopped, StopStatus
from cartrita.domain.fold import Fold
from cartrita.surfaces.v1.run_errors import error_of

STOPPED = RunStopped(
    StopStatus.FAILED, "code", "It ended.", recoverable=False, details={"told": "yes"}
)


def ended_by(error: CartritaError) -> RunStopped:
    """The end of a run that this error failed before it said anything."""
    event = endings.failed(Fold(), error).event
    assert isinstance(event, RunStopped)
    return event


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        (ErrorKind.TOO_LARGE, TooLarge),
        (ErrorKind.RATE_LIMITED, RateLimited),
        (ErrorKind.UNAVAILABLE, Unavailable),
        (ErrorKind.STORAGE_FULL, StorageFull),
        (ErrorKind.DEADLINE, DeadlineExceeded),
        (ErrorKind.UPSTREAM, UpstreamError),
        (ErrorKind.UPSTREAM_REJECTED, UpstreamRejected),
        (ErrorKind.INVALID, InvalidInput),
        (ErrorKind.INTERNAL, CartritaError),
        (ErrorKind.CONFLICT, CartritaError),
    ],
)
def test_the_class_follows_the_kind(kind: ErrorKind, found: type[CartritaError]) -> None:
    error = error_of(replace(STOPPED, error_kind=kind, retry_after=2.0))
    assert type(error) is found
    assert (error.message, error.code) == ("It ended.", "code")
    if found is not InvalidInput:
        assert (error.details["told"], error.retry_after) == ("yes", 2.0)


def test_a_cancelled_run_is_a_conflict() -> None:
    assert type(error_of(replace(STOPPED, kind=StopStatus.CANCELLED))) is Conflict


def test_a_server_that_stopped_is_unavailable() -> None:
    assert type(error_of(replace(STOPPED, kind=StopStatus.INTERRUPTED))) is Unavailable


def test_an_interruption_by_a_provider_is_an_error_of_that_provider() -> None:
    stopped = replace(STOPPED, kind=StopStatus.INTERRUPTED, error_kind=ErrorKind.UPSTREAM)
    assert type(error_of(stopped)) is UpstreamError


def test_a_model_that_its_provider_does_not_know_is_not_found() -> None:
    told = UpstreamRejected("There is no such model.", provider="p", status=404)
    error = error_of(ended_by(told))
    assert (isinstance(error, UpstreamError), error.details) == (True, told.details)
    status, body = openai_error_rendering.render(error)
    assert (status, b'"model_not_found"' in body) == (404, True)
    status, body = error_rendering.render(error)
    assert (status, b'"not_found_error"' in body) == (404, True)


def test_a_status_that_is_no_number_is_ignored() -> None:
    stopped = replace(
        STOPPED, error_kind=ErrorKind.UPSTREAM, details={"upstream_status": "many", "provider": "p"}
    )
    error = error_of(stopped)
    assert isinstance(error, UpstreamError)
    assert (error.provider, error.status) == ("p", None)


def test_a_refusal_names_its_field() -> None:
    told = InvalidInput("No.", fields={"top_k": ["No."], "seed": ["No."]}, code="not_translatable")
    error = error_of(ended_by(told))
    assert isinstance(error, InvalidInput)
    assert (error.fields, error.code) == (told.fields, told.code)
    status, body = openai_error_rendering.render(error)
    assert (status, b'"param":"top_k"' in body) == (400, True)


def test_an_overload_keeps_when_to_come_again() -> None:
    told = UpstreamOverloaded("p is busy.", provider="p", status=503, retry_after=3.0)
    error = error_of(ended_by(told))
    assert (error.retry_after, error.code) == (3.0, "upstream_overloaded")


def test_a_quota_has_the_status_of_a_plain_call() -> None:
    error = error_of(ended_by(UpstreamQuota("No credit.", provider="p", status=429)))
    assert type(error) is UpstreamQuota
    assert openai_error_rendering.render(error)[0] == 402
    assert error_rendering.render(error)[0] == 402

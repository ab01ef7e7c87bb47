"""One table from kind to status; it knows every kind and every code of ours."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from cartrita.domain import endings
from cartrita.domain import errors as domain
from cartrita.domain.errors import CartritaError, ErrorKind, UpstreamError
from cartrita.domain.events import RunStopped, StopStatus
from cartrita.domain.fold import Fold
from cartrita.domain.runs import Run, RunInput, RunStatus
from cartrita.kit import ids
from cartrita.kit.ids import ConversationId, MessageId, RunId
from cartrita.surfaces.native.errors import STATUS, AnswerStopped, status_of, to_invalid_input
from cartrita.surfaces.request_limits import REQUEST_TIMEOUT, URI_TOO_LONG

RUN = Run(
    id=RunId(ids.uuid7()),
    owner_id="a",
    conversation_id=ConversationId(ids.uuid7()),
    message_id=MessageId(ids.uuid7()),
    user_message_id=MessageId(ids.uuid7()),
    surface="native",
    status=RunStatus.FAILED,
    agent="assistant",
    provider="p",
    model="m",
    input=RunInput(agent="assistant", provider="p", model="m"),
    attempt=1,
    created_at=datetime(2026, 11, 21, tzinfo=UTC),
    started_at=None,
    ended_at=None,
    cancel_requested=False,
    last_seq=3,
    usage=None,
    error_code=None,
)


def every_error() -> Iterator[type[CartritaError]]:
    for value in vars(domain).values():
        if isinstance(value, type) and issubclass(value, CartritaError):
            yield value


def stopped(
    kind: StopStatus, error_kind: ErrorKind = ErrorKind.INTERNAL, **details: str
) -> AnswerStopped:
    event = RunStopped(
        kind, "code", "It ended.", recoverable=True, details={**details}, error_kind=error_kind
    )
    return AnswerStopped(event, RUN, "Hel")


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
        (StopStatus.INTERRUPTED, ErrorKind.UPSTREAM, 503),
    ],
)
def test_how_a_stopped_run_answers(kind: StopStatus, error_kind: ErrorKind, status: int) -> None:
    assert status_of(stopped(kind, error_kind)) == status


def test_a_stopped_run_brings_along_what_was_seen() -> None:
    error = stopped(StopStatus.INTERRUPTED, provider="p")
    assert error.details == {
        "provider": "p",
        "run_id": ids.public("run", RUN.id),
        "conversation_id": ids.public("conv", RUN.conversation_id),
        "message_id": ids.public("msg", RUN.message_id),
        "recoverable": True,
        "partial_response": "Hel",
    }


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (domain.TooLarge("-", code=URI_TOO_LONG), 414),
        (domain.DeadlineExceeded("-", code=REQUEST_TIMEOUT), 408),
        (UpstreamError("-", provider="p", code="anything"), 502),
    ],
)
def test_codes_with_a_status_of_their_own(error: CartritaError, status: int) -> None:
    assert status_of(error) == status


def test_findings_are_grouped_by_field() -> None:
    error = to_invalid_input(
        [
            {"loc": ("query", "limit"), "msg": "Input should be less than 9"},
            {"loc": ("query", "limit"), "msg": "Value error, It is odd"},
            {"loc": ("query", "tags", 0), "msg": "Field required"},
        ],
        skip=1,
    )
    assert error.message == "limit: input should be less than 9"
    assert error.fields == {
        "limit": ["input should be less than 9", "it is odd"],
        "tags.0": ["field required"],
    }

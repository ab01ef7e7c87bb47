"""One table from kind to status; it knows every kind and every code of ours."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from cartrita.domain import errors as domain
from cartrita.domain.errors import CartritaError, ErrorKind, UpstreamError
from cartrita.domain.events import RunStopped, StopKind
from cartrita.domain.runs import Run, RunStatus
from cartrita.kit import ids
from cartrita.kit.ids import ConversationId, MessageId, RunId
from cartrita.surfaces.intake import REQUEST_TIMEOUT, URI_TOO_LONG
from cartrita.surfaces.native.errors import STATUS, AnswerStopped, invalid, status_of

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


def stopped(kind: StopKind, code: str, **details: str) -> AnswerStopped:
    event = RunStopped(kind, code, "It ended.", recoverable=True, details={**details})
    return AnswerStopped(event, RUN, "Hel")


def test_every_kind_has_a_status() -> None:
    assert set(STATUS) == set(ErrorKind)


@pytest.mark.parametrize("error", list(every_error()))
def test_a_failed_run_answers_as_its_error_would_have(error: type[CartritaError]) -> None:
    """The log keeps codes; the status that they mean is the same as if the error came by itself."""
    assert status_of(stopped(StopKind.FAILED, error.default_code)) == STATUS[error.kind]


@pytest.mark.parametrize(
    ("kind", "code", "details", "status"),
    [
        (StopKind.FAILED, "upstream_unreachable", {}, 502),
        (StopKind.FAILED, "upstream_rate_limited", {}, 429),
        (StopKind.FAILED, "deadline_exceeded", {}, 504),
        (StopKind.FAILED, "a_code_of_a_provider", {"provider": "p"}, 502),
        (StopKind.FAILED, "never_heard_of", {}, 500),
        (StopKind.CANCELLED, "cancelled", {}, 409),
        (StopKind.INTERRUPTED, "upstream_cut", {}, 503),
    ],
)
def test_how_a_stopped_run_answers(
    kind: StopKind, code: str, details: dict[str, str], status: int
) -> None:
    assert status_of(stopped(kind, code, **details)) == status


def test_a_stopped_run_brings_along_what_was_seen() -> None:
    error = stopped(StopKind.INTERRUPTED, "interrupted", provider="p")
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
    error = invalid(
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

"""Endings: the event, message, usage and idempotency outcome of each way in which a run ends."""

import pytest
from tests.backend.application.fakes import claim

from cartrita.domain import endings
from cartrita.domain.deltas import FinishReason
from cartrita.domain.errors import CartritaError, DeadlineExceeded, UpstreamLimited
from cartrita.domain.events import (
    Event,
    ReasoningAppended,
    RunCompleted,
    RunStopped,
    SourceFound,
    StopStatus,
    TextAppended,
    ToolCalled,
    ToolReturned,
    UsageRecorded,
)
from cartrita.domain.fold import Fold, fold
from cartrita.domain.messages import Citation, MessageStatus
from cartrita.domain.runs import RunStatus
from cartrita.domain.usage import Usage

NOTHING: list[Event] = []
THOUGHT: list[Event] = [ReasoningAppended("hm")]
SPOKEN: list[Event] = [TextAppended("half", 0), UsageRecorded(Usage(1, 2), 0.1)]


def test_a_whole_answer() -> None:
    answer = fold([*SPOKEN, SourceFound(Citation("t"))])
    end = endings.completed(claim(), answer, FinishReason.LENGTH, 1.5)
    assert isinstance(end.event, RunCompleted)
    assert (end.event.text, end.event.finish_reason, end.event.seconds) == ("half", "length", 1.5)
    assert (end.event.conversation_id, end.event.message_id) == ("conv_1", "msg_1")
    assert (end.event.agent, end.event.provider, end.event.model) == ("supervisor", "p", "m")
    assert end.event.sources == (Citation("t"),)
    assert end.usage == end.event.usage == Usage(1, 2)
    assert (end.status, end.message_status) == (RunStatus.COMPLETED, MessageStatus.COMPLETE)
    assert end.message == answer.message
    assert end.keep_idempotency


@pytest.mark.parametrize(
    ("said", "message", "keeps"), [(NOTHING, False, True), (SPOKEN, True, True)]
)
def test_a_cancelled_one_keeps_what_was_seen(said: list[Event], message: bool, keeps: bool) -> None:
    end = endings.cancelled(fold(said))
    assert end.status is RunStatus.CANCELLED
    assert stopped(end.event).kind is StopStatus.CANCELLED
    assert not stopped(end.event).recoverable
    assert (end.message is not None, end.keep_idempotency) == (message, keeps)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ([], "The server stopped, and the answer can be continued."),
        (
            [ToolCalled("c1", "calculator", {}, own=True)],
            "The server stopped, and the answer can be tried again.",
        ),
        (
            [
                ToolCalled("c1", "calculator", {}, own=True),
                ToolReturned("c1", "calculator", "42", True),
            ],
            "The server stopped, and the answer can be continued.",
        ),
    ],
)
def test_an_interrupted_one_says_what_can_be_done(more: list[Event], told: str) -> None:
    end = endings.interrupted(fold([*SPOKEN, *more]), "The server stopped")
    assert stopped(end.event).message == told
    assert end.status is RunStatus.INTERRUPTED
    assert stopped(end.event).recoverable
    assert end.message_status is MessageStatus.PARTIAL
    assert end.usage == stopped(end.event).usage == Usage(1, 2)


@pytest.mark.parametrize(
    ("said", "error", "status", "keeps"),
    [
        (NOTHING, CartritaError("no"), RunStatus.FAILED, False),
        (NOTHING, DeadlineExceeded("no"), RunStatus.FAILED, False),
        (THOUGHT, DeadlineExceeded("no"), RunStatus.FAILED, True),
        (SPOKEN, CartritaError("no"), RunStatus.FAILED, True),
        (SPOKEN, DeadlineExceeded("no"), RunStatus.INTERRUPTED, True),
    ],
)
def test_a_failure_is_an_interruption_only_where_there_is_something_to_continue(
    said: list[Event], error: CartritaError, status: RunStatus, keeps: bool
) -> None:
    end = endings.failed(fold(said), error)
    assert end.status is status
    assert stopped(end.event).kind == status
    assert stopped(end.event).recoverable == error.retryable
    assert end.keep_idempotency is keeps
    assert (end.message is not None) == bool(said)


def test_a_failure_tells_all_that_the_error_says() -> None:
    error = UpstreamLimited("Too many.", provider="p", details={"a": 1}, retry_after=2)
    event = stopped(endings.failed(Fold(), error).event)
    assert (event.code, event.message, event.retry_after) == (
        "upstream_rate_limited",
        "Too many.",
        2,
    )
    assert event.details == {"a": 1, "provider": "p"}


def test_what_could_not_be_stored_leaves_nothing() -> None:
    end = endings.unstorable(CartritaError("no", code="unstorable_output"))
    assert end.status is RunStatus.FAILED
    assert (stopped(end.event).code, end.message) == ("unstorable_output", None)


def stopped(event: object) -> RunStopped:
    assert isinstance(event, RunStopped)
    return event

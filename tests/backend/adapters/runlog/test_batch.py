"""Pending runs and batches: joining text, numbering events, and handling refused ones."""

from uuid import UUID

import pytest
from hypothesis import given
from tests.backend.domain.samples import SPOKEN, bodies
from tests.backend.examples import examples

from cartrita.adapters.runlog.batch import Batch, PendingRun
from cartrita.domain import endings
from cartrita.domain.errors import CartritaError
from cartrita.domain.events import (
    Event,
    LoggedEvent,
    ReasoningAppended,
    RunStarted,
    SourceFound,
    TextAppended,
    ToolCalled,
    UsageRecorded,
)
from cartrita.domain.fold import Fold, fold
from cartrita.domain.ids import RunId
from cartrita.domain.messages import Citation, MessageStatus, Text
from cartrita.domain.runs import RunStatus
from cartrita.domain.usage import Usage

RUN, OTHER = RunId(UUID(int=1)), RunId(UUID(int=2))
TOOL = ToolCalled("c", "look", {})


def taken(run: PendingRun) -> list[tuple[int, Event]]:
    return [(item.seq, item.event) for item in run.take().events]


def test_consecutive_text_of_one_kind_becomes_one_event() -> None:
    run = PendingRun(RUN, 1)
    for event in (
        TextAppended("a", 0),
        TextAppended("b", 1),
        ReasoningAppended("r"),
        ReasoningAppended("s"),
        TOOL,
        TextAppended("c", 2),
    ):
        run.add(event)
    assert taken(run) == [
        (2, TextAppended("ab", 0)),
        (3, ReasoningAppended("rs")),
        (4, TOOL),
        (5, TextAppended("c", 2)),
    ]


def test_text_with_log_probabilities_stays_apart() -> None:
    run = PendingRun(RUN, 0)
    said: list[Event] = [
        TextAppended("a", 0),
        TextAppended("b", 1, ({"token": "b"},)),
        TextAppended("c", 2, ({"token": "c"},)),
        TextAppended("d", 3),
    ]
    for event in said:
        run.add(event)
    assert taken(run) == list(enumerate(said, 1))
    run.add(said[1])
    assert not run.urgent


def test_a_refusal_stays_apart_from_text() -> None:
    run = PendingRun(RUN, 0)
    for event in (
        TextAppended("a", 0),
        TextAppended("b", 1, refusal=True),
        TextAppended("c", 2, refusal=True),
        TextAppended("d", 3),
    ):
        run.add(event)
    assert taken(run) == [
        (1, TextAppended("a", 0)),
        (2, TextAppended("bc", 1, refusal=True)),
        (3, TextAppended("d", 3)),
    ]


def test_numbering_continues_across_flushes() -> None:
    run = PendingRun(RUN, 7)
    run.add(TextAppended("a", 0))
    assert taken(run) == [(8, TextAppended("a", 0))]
    assert taken(run) == []
    run.add(TextAppended("b", 1))
    assert taken(run) == [(9, TextAppended("b", 1))]


@examples
@given(bodies(SPOKEN))
def test_joining_text_does_not_change_the_fold(events: list[Event]) -> None:
    run = PendingRun(RUN, 1)
    for event in events:
        run.add(event)
    joined = [event for _, event in taken(run)]
    assert fold(joined).parts == fold(events).parts


def test_only_the_first_text_is_urgent() -> None:
    run = PendingRun(RUN, 0)
    run.add(TextAppended("a", 0))
    assert run.urgent
    run.take()
    assert not run.urgent
    run.add(TextAppended("b", 1))
    assert not run.urgent


@pytest.mark.parametrize(
    "event", [TOOL, SourceFound(Citation("t")), UsageRecorded(Usage(), 0.1)], ids=type
)
def test_other_events_than_text_are_urgent(event: Event) -> None:
    run = PendingRun(RUN, 1)
    run.add(TextAppended("a", 0))
    run.take()
    run.add(event)
    assert run.urgent


def test_pending_bytes_are_counted_until_taken() -> None:
    run = PendingRun(RUN, 1)
    run.add(TextAppended("abc", 0))
    run.add(ReasoningAppended("de"))
    assert run.pending_bytes == 5
    run.add(TextAppended("ä😀", 3))
    assert run.pending_bytes == 11, "bytes, not letters"
    run.add(ToolCalled("c", "look", {"at": "😀" * 1000}))
    assert run.pending_bytes > 4000
    run.take()
    assert run.pending_bytes == 0


def test_the_ending_is_taken_with_all_pending_events() -> None:
    run = PendingRun(RUN, 1)
    run.add(TextAppended("a", 0))
    ending = endings.cancelled(Fold())
    run.close(ending)
    taken_now = run.take()
    events, end = taken_now.events, taken_now.ending
    assert [item.seq for item in events] == [2, 3]
    assert events[-1].event == ending.event
    assert end == ending


def test_numbering_continues_before_refused_events() -> None:
    run = PendingRun(RUN, 1)
    run.add(TextAppended("kept", 0))
    kept = run.take().events
    run.committed(kept)
    run.add(TextAppended("refused", 4))
    refused = run.take().events
    run.add(TextAppended("said meanwhile", 11))
    failure = CartritaError("no")
    run.refuse(refused, failure)
    assert run.failure is failure
    assert taken(run) == [], "events after refused ones are dropped"
    assert run.pending_bytes == 0

    everything = fold([TextAppended("kept", 0), TextAppended("refused", 4)])
    run.close(endings.failed(everything, failure))
    assert run.failure is None
    taken_now = run.take()
    events, end = taken_now.events, taken_now.ending
    assert [item.seq for item in events] == [3]
    assert end is not None
    assert end.message is not None
    assert end.message.parts == (Text("kept"),), "the message equals the log"


def test_an_ending_after_refused_events_is_dropped() -> None:
    """Otherwise the log would end while the run continues."""
    run = PendingRun(RUN, 1)
    run.add(TextAppended("refused", 0))
    refused = run.take().events
    run.close(endings.cancelled(Fold()))
    run.refuse(refused, CartritaError("no"))
    assert (run.take().events, run.take().ending) == ([], None)


def test_the_ending_after_a_refusal_has_the_usage_of_the_log() -> None:
    run = PendingRun(RUN, 1)
    measured = LoggedEvent(RUN, 2, UsageRecorded(Usage(1, 2), 0.1))
    run.committed([measured])
    run.refuse([LoggedEvent(RUN, 3, TOOL)], CartritaError("no"))
    run.close(endings.unstorable(CartritaError("no")))
    end = run.take().ending
    assert end is not None
    assert end.usage == Usage(1, 2)
    assert end.event.usage == Usage(1, 2)
    assert end.status is RunStatus.FAILED
    assert end.message is None
    assert end.message_status is MessageStatus.PARTIAL
    assert not end.keep_idempotency, "nobody has seen anything of the answer"


def test_a_refusal_without_visible_output_releases_the_key() -> None:
    run = PendingRun(RUN, 1)
    run.refuse([LoggedEvent(RUN, 2, TOOL)], CartritaError("no"))
    run.close(endings.unstorable(CartritaError("no")))
    end = run.take().ending
    assert end is not None
    assert not end.keep_idempotency


def test_a_batch_holds_the_runs_with_pending_events() -> None:
    quiet, speaking, ending = (
        PendingRun(RunId(UUID(int=3)), 1),
        PendingRun(RUN, 1),
        PendingRun(OTHER, 4),
    )
    speaking.add(TextAppended("a", 0))
    ending.close(endings.cancelled(Fold()))
    batch = Batch.take({run.run_id: run for run in (quiet, speaking, ending)})
    assert batch.runs == [speaking, ending]
    assert [(e.run_id, e.seq) for e in batch.events] == [(RUN, 2), (OTHER, 5)]
    assert [(run, seq) for run, seq, _ in batch.endings] == [(OTHER, 5)]
    assert [part.runs for part in batch.split()] == [[speaking], [ending]]


def test_text_after_the_first_event_is_urgent() -> None:
    run = PendingRun(RUN, 0)
    run.add(RunStarted("c", "m", "a", "m", "p"))
    run.take()
    run.add(TextAppended("a", 0))
    assert run.urgent

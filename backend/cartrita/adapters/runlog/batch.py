"""Batches: the pending events of some runs, numbered, which one flush commits together."""

from collections.abc import Iterator
from typing import Self, TypeGuard

import msgspec

from cartrita.adapters.runlog.encoding import canonical, encoded_size
from cartrita.adapters.runlog.steps import NumberedStep
from cartrita.domain.approvals import Approval
from cartrita.domain.errors import CartritaError
from cartrita.domain.event_visibility import is_visible
from cartrita.domain.events import (
    Event,
    LoggedEvent,
    ModelAccepted,
    ReasoningAppended,
    RunStopped,
    TextAppended,
)
from cartrita.domain.fold import Fold
from cartrita.domain.ids import RunId
from cartrita.domain.messages import MessageStatus
from cartrita.domain.runs import Ending, RunStatus
from cartrita.domain.step_places import StepPlace
from cartrita.domain.step_records import StepRecord


class Taken(msgspec.Struct, frozen=True):
    """What one flush writes of a run; with an ending, or with approvals, the run leaves us."""

    events: list[LoggedEvent]
    steps: list[NumberedStep]
    ending: Ending | None
    approvals: tuple[Approval, ...]
    accepted: int
    """How many events and records the run had got when this was taken."""

    @property
    def leaves(self) -> bool:
        return self.ending is not None or bool(self.approvals)


class PendingRun:
    """A run that this process writes, with the events that are not committed yet."""

    def __init__(self, run_id: RunId, last_seq: int) -> None:
        self.run_id = run_id
        self.failure: CartritaError | None = None
        """Raised at the next append; set when the run accepts no more events."""
        self.pending_bytes = 0
        self.urgent = False
        """Whether the pending events should be flushed without delay."""
        self._seq = last_seq
        self._pending: list[Event] = []
        self._text_pieces: list[str] = []
        self._steps: dict[StepPlace, tuple[int, StepRecord]] = {}
        self._any_visible = False
        self._ending: Ending | None = None
        self._approvals: tuple[Approval, ...] = ()
        self.accepted = 0
        """How many events and records it has got."""
        self.stored = 0
        """How many of them are committed."""
        self._committed = Fold()
        self._refused = False

    def add(self, event: Event) -> None:
        """Add an event; consecutive text of the same kind becomes one event."""
        self.pending_bytes += encoded_size(event)
        self.accepted += 1
        if _is_plain_text(event):
            self._add_text(event)
        else:
            self._join_text()
            self._pending.append(canonical(event))
            # The one shows a reader nothing, and shares the commit of the first token.
            self.urgent = self.urgent or not isinstance(event, ModelAccepted | TextAppended)
        if not self._any_visible and is_visible(event):
            self._any_visible = self.urgent = True

    def add_step(self, record: StepRecord) -> None:
        """Add a record, to which all events so far belong."""
        self._join_text()
        self._steps[record.place] = (len(self._pending), record)
        self.accepted += 1
        self.urgent = True

    def suspend(self, approvals: tuple[Approval, ...]) -> None:
        """Let the run wait for these approvals, whose events are added already."""
        self._approvals = approvals
        self.urgent = True

    def close(self, ending: Ending) -> None:
        """Add the terminal event, with the ending that is stored together with it."""
        self._ending = _without_refused(ending, self._committed) if self._refused else ending
        self.failure = None
        self.add(self._ending.event)

    def committed(self, events: list[LoggedEvent]) -> None:
        """Record that these events are committed."""
        for event in events:
            self._committed.add(event.event)

    def refuse(self, events: list[LoggedEvent], failure: CartritaError) -> None:
        """Drop events that the database refused, and all later ones, so that the log has no gap.

        Numbering goes on from before them.
        """
        if events:
            self._seq = events[0].seq - 1
        self._pending, self._text_pieces, self.pending_bytes, self.urgent = [], [], 0, False
        self._steps, self._ending, self._approvals = {}, None, ()
        self._refused = True
        self.failure = failure

    def take(self) -> Taken:
        """Number the pending events and remove them, and the records, from this run."""
        self._join_text()
        events: list[LoggedEvent] = []
        before = self._seq
        for event in self._pending:
            self._seq += 1
            events.append(LoggedEvent(self.run_id, self._seq, event))
        steps = [
            NumberedStep(self.run_id, before + position, record)
            for position, record in self._steps.values()
        ]
        self._pending, self._steps, self.pending_bytes, self.urgent = [], {}, 0, False
        return Taken(events, steps, self._ending, self._approvals, self.accepted)

    def _add_text(self, event: TextAppended | ReasoningAppended) -> None:
        if self._text_pieces and _is_same_kind(event, self._pending[-1]):
            self._text_pieces.append(event.text)
        else:
            self._join_text()
            self._pending.append(event)
            self._text_pieces = [event.text]

    def _join_text(self) -> None:
        if len(self._text_pieces) > 1:
            text = "".join(self._text_pieces)
            self._pending[-1] = msgspec.structs.replace(self._pending[-1], text=text)
        self._text_pieces = []


def _is_plain_text(event: Event) -> TypeGuard[TextAppended | ReasoningAppended]:
    """Whether it is text that can be joined; log probabilities belong to their own tokens."""
    if isinstance(event, TextAppended):
        return not event.logprobs
    return isinstance(event, ReasoningAppended)


def _is_same_kind(event: Event, last: Event) -> bool:
    """Whether both are reasoning, or both an answer, or both a refusal to give one."""
    if isinstance(event, TextAppended) and isinstance(last, TextAppended):
        return event.refusal == last.refusal
    return type(event) is type(last)


def _without_refused(ending: Ending, committed: Fold) -> Ending:
    """The ending with the message and usage of the committed events only."""
    event = ending.event
    if isinstance(event, RunStopped):
        event = msgspec.structs.replace(event, usage=committed.usage)
    return msgspec.structs.replace(
        ending,
        event=event,
        usage=committed.usage,
        message=committed.message,
        message_status=MessageStatus.PARTIAL,
        keep_idempotency=committed.seen or ending.status is RunStatus.CANCELLED,
    )


class Batch:
    """Runs with their numbered events, records of steps, and how they leave this process."""

    def __init__(self, taken: list[tuple[PendingRun, Taken]]) -> None:
        self._taken = [item for item in taken if item[1].events or item[1].steps]

    @classmethod
    def take(cls, runs: dict[RunId, PendingRun]) -> Self:
        return cls([(run, run.take()) for run in runs.values()])

    def split(self) -> list["Batch"]:
        """One batch per run."""
        return [Batch([item]) for item in self._taken]

    @property
    def runs(self) -> list[PendingRun]:
        return [run for run, _ in self._taken]

    @property
    def events(self) -> list[LoggedEvent]:
        return [event for _, taken in self._taken for event in taken.events]

    @property
    def steps(self) -> list[NumberedStep]:
        return [step for _, taken in self._taken for step in taken.steps]

    @property
    def endings(self) -> list[tuple[RunId, int, Ending]]:
        """The endings, each with its run and the number of its terminal event."""
        return [
            (run.run_id, taken.events[-1].seq, taken.ending)
            for run, taken in self._taken
            if taken.ending is not None
        ]

    @property
    def suspensions(self) -> list[tuple[RunId, tuple[Approval, ...]]]:
        """The runs that wait now, each with its approvals."""
        return [
            (run.run_id, taken.approvals)
            for run, taken in self._taken
            if taken.approvals and taken.ending is None
        ]

    @property
    def left(self) -> list[RunId]:
        """The runs that this process does not write any more."""
        return [run.run_id for run, taken in self._taken if taken.leaves]

    def by_run(self) -> Iterator[tuple[PendingRun, Taken]]:
        yield from self._taken

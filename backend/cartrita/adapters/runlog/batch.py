"""What one flush commits: the pending events of some runs, numbered."""

from collections.abc import Iterator
from typing import Self

import msgspec

from cartrita.adapters.runlog.encoding import VERSION, as_stored, dump_event, weight
from cartrita.domain.errors import CartritaError
from cartrita.domain.events import (
    Event,
    LoggedEvent,
    ReasoningAppended,
    RunStopped,
    TextAppended,
    is_visible,
)
from cartrita.domain.fold import Fold
from cartrita.domain.messages import MessageStatus
from cartrita.domain.runs import Ending, RunStatus
from cartrita.kit.ids import RunId


class OwnRun:
    """A run that this process writes: its last number, and what is not yet in the log."""

    def __init__(self, run_id: RunId, last_seq: int) -> None:
        self.run_id = run_id
        self.failure: CartritaError | None = None
        """Why nothing more is taken: told to whoever appends next."""
        self.pending_bytes = 0
        self.urgent = False
        """Whether what is pending should be seen at once."""
        self._seq = last_seq
        self._pending: list[Event] = []
        self._pieces: list[str] = []
        self._spoken = False
        self._ending: Ending | None = None
        self._kept = Fold()
        self._refused = False

    def add(self, event: Event) -> None:
        """Take an event; text that follows text of its kind joins it."""
        self.pending_bytes += weight(event)
        if isinstance(event, TextAppended | ReasoningAppended):
            self._add_text(event)
        else:
            self._join()
            self._pending.append(as_stored(event))
            self.urgent = True
        if not self._spoken and is_visible(event):
            self._spoken = self.urgent = True

    def close(self, ending: Ending) -> None:
        """The last event, with everything that is stored together with it."""
        self._ending = _truthful(ending, self._kept) if self._refused else ending
        self.failure = None
        self.add(self._ending.event)

    def committed(self, events: list[LoggedEvent]) -> None:
        """These are in the log now."""
        for event in events:
            self._kept.add(event.event)

    def refuse(self, events: list[LoggedEvent], failure: CartritaError) -> None:
        """These could not be stored: the log goes on from before them, to another end.

        What came after them is dropped too, or the log would have a hole.
        """
        self._seq = events[0].seq - 1
        self._pending, self._pieces, self.pending_bytes, self.urgent = [], [], 0, False
        self._ending = None
        self._refused = True
        self.failure = failure

    def take(self) -> tuple[list[LoggedEvent], Ending | None]:
        """Number what is pending and hand it over."""
        self._join()
        events: list[LoggedEvent] = []
        for event in self._pending:
            self._seq += 1
            events.append(LoggedEvent(self.run_id, self._seq, event))
        self._pending, self.pending_bytes, self.urgent = [], 0, False
        return events, self._ending

    def _add_text(self, event: TextAppended | ReasoningAppended) -> None:
        last = self._pending[-1] if self._pending else None
        if type(last) is type(event):
            self._pieces.append(event.text)
        else:
            self._join()
            self._pending.append(event)
            self._pieces = [event.text]

    def _join(self) -> None:
        if len(self._pieces) > 1:
            text = "".join(self._pieces)
            match self._pending[-1]:
                case TextAppended(position=position):
                    self._pending[-1] = TextAppended(text, position)
                case _:
                    self._pending[-1] = ReasoningAppended(text)
        self._pieces = []


def _truthful(ending: Ending, kept: Fold) -> Ending:
    """The same end of a log that lacks what was refused: its message is what it does hold."""
    event = ending.event
    if isinstance(event, RunStopped):
        event = msgspec.structs.replace(event, usage=kept.usage)
    return msgspec.structs.replace(
        ending,
        event=event,
        usage=kept.usage,
        message=kept.message,
        message_status=MessageStatus.PARTIAL,
        keep_idempotency=kept.seen or ending.status is RunStatus.CANCELLED,
    )


class Batch:
    """Runs with their numbered events, and the endings among them."""

    def __init__(self, taken: list[tuple[OwnRun, list[LoggedEvent], Ending | None]]) -> None:
        self._taken = [item for item in taken if item[1]]

    @classmethod
    def take(cls, runs: dict[RunId, OwnRun]) -> Self:
        return cls([(run, *run.take()) for run in runs.values()])

    def split(self) -> list["Batch"]:
        """One batch for each run."""
        return [Batch([item]) for item in self._taken]

    @property
    def runs(self) -> list[OwnRun]:
        return [run for run, _, _ in self._taken]

    @property
    def events(self) -> list[LoggedEvent]:
        return [event for _, events, _ in self._taken for event in events]

    @property
    def endings(self) -> list[tuple[RunId, int, Ending]]:
        """Each with the number of its last event."""
        return [
            (run.run_id, events[-1].seq, ending)
            for run, events, ending in self._taken
            if ending is not None
        ]

    @property
    def ended(self) -> list[RunId]:
        return [run.run_id for run, _, ending in self._taken if ending is not None]

    def by_run(self) -> Iterator[tuple[OwnRun, list[LoggedEvent]]]:
        for run, events, _ in self._taken:
            yield run, events

    @property
    def columns(self) -> tuple[list[RunId], list[int], list[int], list[str]]:
        """As the INSERT takes them."""
        events = self.events
        return (
            [event.run_id for event in events],
            [event.seq for event in events],
            [VERSION] * len(events),
            [dump_event(event.event) for event in events],
        )

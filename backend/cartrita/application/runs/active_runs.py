"""Runs that are being executed by this process, and the journals that they write."""

from collections.abc import Sequence
from enum import Enum

import anyio

from cartrita.agents.unfinished import Unfinished
from cartrita.domain.event_visibility import is_said
from cartrita.domain.events import Event
from cartrita.domain.fold import Fold
from cartrita.domain.ids import RunId
from cartrita.domain.ports.runs import RunWriter
from cartrita.domain.runs import Claim
from cartrita.domain.step_records import StepRecord


class StopReason(Enum):
    """Why the executor stopped a run. A run that reached its deadline has no stop reason."""

    CANCELLED = 1
    LEASE_LOST = 2
    SHUTDOWN = 3


class RunJournal:
    """Implements Journal: appends to the log first, so that `answer` holds what it accepted."""

    def __init__(self, writer: RunWriter, run_id: RunId, logged: Sequence[Event]) -> None:
        self._writer = writer
        self._run_id = run_id
        self._answer = Fold()
        self._resumable = True
        for event in logged:
            self._answer.add(event)
        self._seen_before = self._answer.seen
        self.first_seen_at: float | None = None
        """When something was first seen of an answer of which nothing had been; see `anyio`."""

    @property
    def answer(self) -> Fold:
        return self._answer

    @property
    def resumable(self) -> bool:
        """Whether another process can go on with the run, and nothing is seen twice.

        It can where the answering agent has said nothing since the last record.
        """
        return self._resumable

    async def append(self, event: Event) -> None:
        """See Journal."""
        await self._writer.append(self._run_id, event)
        self._add(event)

    async def commit(self, events: Sequence[Event], steps: Sequence[StepRecord]) -> None:
        """See Journal."""
        self.record(events, steps)
        await self.stored()

    async def stored(self) -> None:
        """See Journal."""
        await self._writer.commit(self._run_id)

    def record(self, events: Sequence[Event], steps: Sequence[StepRecord]) -> None:
        """See Journal."""
        self._writer.record(self._run_id, events, steps)
        for event in events:
            self._add(event)
        self._resumable = self._resumable or bool(steps)

    def _add(self, event: Event) -> None:
        self._answer.add(event)
        if self._answer.seen and self.first_seen_at is None and not self._seen_before:
            self.first_seen_at = anyio.current_time()
        self._resumable = self._resumable and not is_said(event)


class ActiveRun:
    """A run that is being executed."""

    def __init__(self, claim: Claim, writer: RunWriter) -> None:
        self.claim = claim
        self.journal = RunJournal(writer, claim.run_id, claim.logged)
        now = anyio.current_time()
        self.scope = anyio.CancelScope(deadline=now + claim.seconds_left)
        self.stop_reason: StopReason | None = StopReason.CANCELLED if claim.cancelled else None
        self.unfinished = Unfinished(self.journal, claim.steps)
        self.started_at = now - claim.worked_s
        """When it began, by the clock of the event loop, as if all time since was work."""

    @property
    def answer(self) -> Fold:
        """What it has said so far."""
        return self.journal.answer

    @property
    def goes_on(self) -> bool:
        """Whether it was stopped so that another process goes on with it."""
        if self.stop_reason is StopReason.SHUTDOWN:
            return self.journal.resumable
        return self.stop_reason is StopReason.LEASE_LOST

    def stop(self, reason: StopReason) -> None:
        self.stop_reason = self.stop_reason or reason
        self.scope.cancel()

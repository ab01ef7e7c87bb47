"""Runs that are being executed by this process, and the journals that they write."""

import time
from collections.abc import Sequence
from enum import Enum

import anyio

from cartrita.agents.run_context import RunContext
from cartrita.agents.stopped_work import stopped_work
from cartrita.domain.events import Event
from cartrita.domain.fold import Fold
from cartrita.domain.ids import RunId
from cartrita.domain.ports.runs import RunWriter
from cartrita.domain.runs import Claim
from cartrita.domain.step_records import (
    UNKNOWN_RESULT,
    StepRecord,
    StepState,
    ToolSaid,
)


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
        for event in logged:
            self._answer.add(event)

    @property
    def answer(self) -> Fold:
        return self._answer

    async def append(self, event: Event) -> None:
        """See Journal."""
        await self._writer.append(self._run_id, event)
        self._answer.add(event)

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
            self._answer.add(event)


class ActiveRun:
    """A run that is being executed."""

    def __init__(self, claim: Claim, writer: RunWriter) -> None:
        self.claim = claim
        self.journal = RunJournal(writer, claim.run_id, claim.logged)
        self.scope = anyio.CancelScope(deadline=anyio.current_time() + claim.seconds_left)
        self.stop_reason: StopReason | None = StopReason.CANCELLED if claim.cancelled else None
        self.context: RunContext | None = None
        """What its agents share; None before its work has begun."""
        self.started_at = time.monotonic() - claim.worked_s

    @property
    def answer(self) -> Fold:
        """What it has said so far."""
        return self.journal.answer

    @property
    def resumable(self) -> bool:
        """Whether another process can go on with it, and nothing is seen twice."""
        if self.context is None:
            return not self.answer.seen or bool(self.claim.steps)
        return not self.answer.seen or (self.context.clean and self.answer.calls > 0)

    def stop(self, reason: StopReason) -> None:
        self.stop_reason = self.stop_reason or reason
        self.scope.cancel()

    def record_open_work(self) -> None:
        """Record what was used of calls that were stopped, and how tools and tasks ended.

        Raises CartritaError.
        """
        context = self.context
        if context is None or not self.answer.seen:
            return
        steps: list[StepRecord] = []
        for place in context.acting:
            said = ToolSaid(UNKNOWN_RESULT, False)
            steps.append(StepRecord(place=place, state=StepState.UNKNOWN, output=said))
        events = stopped_work(context)
        if events:
            self.journal.record(events, steps)

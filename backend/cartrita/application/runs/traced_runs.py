"""Traced runs: the writer of the log, which tells the trace of a run what is written of it."""

import time
from collections.abc import Sequence
from types import CoroutineType
from typing import Any

from cartrita.domain.approvals import Approval
from cartrita.domain.events import Event
from cartrita.domain.ids import RunId
from cartrita.domain.ports.runs import EndListener, RunAdmission, RunWriter
from cartrita.domain.ports.tracing import Tracer
from cartrita.domain.runs import Admission, Admitted, Claim, Ending, Run
from cartrita.domain.step_records import StepRecord
from cartrita.domain.traces import (
    TOLD,
    RunAbandoned,
    RunCalled,
    RunEnded,
    RunLeft,
    RunNoted,
    RunTaken,
)


class TracedRuns:
    """Implements RunWriter by another one; of runs that are not traced it notes nothing."""

    def __init__(self, writer: RunWriter, tracer: Tracer) -> None:
        self._writer = writer
        self._tracer = tracer
        self._traced: set[RunId] = set()

    def take(self, claim: Claim) -> None:
        """This process works on a run from now on."""
        if self._tracer.samples(claim.run_id):
            self._traced.add(claim.run_id)
            self._tracer.note(RunTaken(claim, time.monotonic(), time.time()))

    def leave(self, run_id: RunId) -> None:
        """This process works on a run no more; one that has ended was left by that."""
        if run_id in self._traced:
            self._traced.remove(run_id)
            self._tracer.note(RunLeft(run_id, time.monotonic()))

    def append(self, run_id: RunId, event: Event) -> "CoroutineType[Any, Any, None]":
        """See RunWriter."""
        self._note(run_id, event)
        return self._writer.append(run_id, event)

    def record(self, run_id: RunId, events: Sequence[Event], steps: Sequence[StepRecord]) -> None:
        """See RunWriter."""
        self._writer.record(run_id, events, steps)
        for event in events:
            self._note(run_id, event)

    def commit(self, run_id: RunId) -> "CoroutineType[Any, Any, None]":
        """See RunWriter."""
        return self._writer.commit(run_id)

    async def suspend(
        self, run_id: RunId, events: Sequence[Event], approvals: tuple[Approval, ...]
    ) -> None:
        """See RunWriter."""
        await self._writer.suspend(run_id, events, approvals)
        for event in events:
            self._note(run_id, event)
        self.leave(run_id)

    def require(self, run_id: RunId) -> None:
        """See RunWriter."""
        self._writer.require(run_id)

    async def end(self, run_id: RunId, ending: Ending) -> None:
        """See RunWriter."""
        await self._writer.end(run_id, ending)
        if run_id in self._traced:
            self._traced.remove(run_id)
            self._tracer.note(RunEnded(run_id, ending, time.monotonic()))

    def forget(self, run_id: RunId) -> None:
        """See RunWriter."""
        self._writer.forget(run_id)
        self.leave(run_id)

    def _note(self, run_id: RunId, event: Event) -> None:
        if isinstance(event, TOLD) and run_id in self._traced:
            self._tracer.note(RunNoted(run_id, event, time.monotonic()))


def abandoned_runs(tracer: Tracer) -> EndListener:
    """Tells the traces of runs that end while no process works on them."""

    def told(run: Run, ending: Ending) -> None:
        if tracer.samples(run.id):
            tracer.note(RunAbandoned(run, ending, time.monotonic(), time.time()))

    return told


class TracedAdmission:
    """Implements RunAdmission by another one, and notes in whose traces runs were asked for."""

    def __init__(self, admission: RunAdmission, tracer: Tracer) -> None:
        self._admission = admission
        self._tracer = tracer

    async def admit(self, admission: Admission) -> Admitted:
        """See RunAdmission."""
        admitted = await self._admission.admit(admission)
        caller_trace = admission.caller_trace
        if caller_trace and admitted.created and self._tracer.samples(admitted.run_id):
            called = RunCalled(
                admitted.run_id,
                admitted.conversation_id,
                admission.owner_id,
                admission.surface,
                admission.input.agent,
                admission.input.provider,
                caller_trace,
                time.monotonic(),
                time.time(),
            )
            self._tracer.note(called)
        return admitted

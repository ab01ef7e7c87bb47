"""Executes the runs that this replica claims, and writes their events to the run log."""

import asyncio
import time

import structlog

from cartrita.agents.assignment import ApprovalsNeeded
from cartrita.agents.tool_approvals import asked_event
from cartrita.application.runs.active_runs import ActiveRun, StopReason
from cartrita.application.runs.run_log_lines import bind_run, log_end
from cartrita.application.runs.traced_runs import TracedRuns
from cartrita.application.runs.work import RunWork
from cartrita.domain import endings
from cartrita.domain.errors import CartritaError, DeadlineExceeded, LeaseLost
from cartrita.domain.ids import RunId
from cartrita.domain.ports.metrics import RunCounts
from cartrita.domain.ports.runs import RunQueue, RunWriter
from cartrita.domain.runs import (
    CancelRequested,
    Claim,
    Ending,
    LeaseRevoked,
    RunAvailable,
    RunStatus,
)
from cartrita.domain.uncounted import UNCOUNTED

log = structlog.get_logger(__name__)

_MAX_PENDING_CLAIMS = 10_000


class Executor:
    """Claims and executes runs, one task per run, as signalled by the queue.

    Where they are `traced`, that writes them.
    """

    def __init__(
        self,
        queue: RunQueue,
        writer: RunWriter,
        work: RunWork,
        counts: RunCounts = UNCOUNTED,
        traced: TracedRuns | None = None,
    ) -> None:
        self._queue = queue
        self._writer = traced or writer
        self._work = work
        self._counts = counts
        self._traced = traced
        self._active: dict[RunId, ActiveRun] = {}
        self._pending_claims = 0
        self._claiming = False
        self._idle = asyncio.Event()
        self._idle.set()

    async def run(self) -> None:
        """Handle signals until cancelled. Handling one never blocks the next."""
        async with asyncio.TaskGroup() as tasks:
            async for signal in self._queue.signals():
                match signal:
                    case RunAvailable():
                        self._pending_claims = min(self._pending_claims + 1, _MAX_PENDING_CLAIMS)
                        if not self._claiming:
                            self._claiming = True
                            tasks.create_task(self._claim(tasks))
                    case CancelRequested(run_id=run_id):
                        if run_id in self._active:
                            self._active[run_id].stop(StopReason.CANCELLED)
                    case LeaseRevoked():
                        self._stop_all(StopReason.LEASE_LOST)

    async def drain(self, seconds: float) -> None:
        """Release unstarted runs, and stop those that are still active after `seconds`."""
        await self._release_unstarted()
        try:
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        except TimeoutError:
            log.info("drain_timed_out", active_runs=len(self._active))
            self._stop_all(StopReason.SHUTDOWN)
            await self._idle.wait()

    async def _release_unstarted(self) -> None:
        try:
            while (claim := await self._queue.claim()) is not None:
                await self._queue.release(claim.run_id)
        except CartritaError as error:
            log.info("release_failed", code=error.code)

    async def _claim(self, tasks: asyncio.TaskGroup) -> None:
        """Claim once per signal: each available run has sent one."""
        try:
            while self._pending_claims:
                self._pending_claims -= 1
                claim = await self._queue.claim()
                if claim is not None:
                    self._start(claim, tasks)
        finally:
            self._claiming = False

    def _start(self, claim: Claim, tasks: asyncio.TaskGroup) -> None:
        if self._traced is not None:
            self._traced.take(claim)
        run = self._active[claim.run_id] = ActiveRun(claim, self._writer)
        self._idle.clear()
        tasks.create_task(self._execute(run))

    def _stop_all(self, reason: StopReason) -> None:
        for run in list(self._active.values()):
            run.stop(reason)

    async def _execute(self, run: ActiveRun) -> None:
        """Execute one run. Its failures do not affect others; if it cannot be ended, forget it."""
        run_id, surface = run.claim.run_id, run.claim.surface
        bind_run(run.claim)
        began, status = time.monotonic(), RunStatus.QUEUED
        self._counts.run_claimed(surface)
        try:
            status = await self._end(run, await self._execute_to_ending(run))
        except LeaseLost:
            log.info("run_lease_lost", run_id=run_id.hex)
            self._forget(run)
        except Exception:
            log.exception("run_not_ended", run_id=run_id.hex)
            self._forget(run)
        finally:
            self._counts.run_left(surface, status, time.monotonic() - began)
            if self._active.get(run_id) is run:
                del self._active[run_id]
                if self._traced is not None:
                    self._traced.leave(run_id)
            if not self._active:
                self._idle.set()

    def _forget(self, run: ActiveRun) -> None:
        if self._active.get(run.claim.run_id) is run:
            self._writer.forget(run.claim.run_id)

    async def _execute_to_ending(self, run: ActiveRun) -> Ending | ApprovalsNeeded:
        failure: ApprovalsNeeded | CartritaError | None = None
        try:
            with run.scope:
                if run.stop_reason is None:
                    return await self._work.answer(run)
                await self._work.end_tools(run)
        except LeaseLost:
            raise
        except (ApprovalsNeeded, CartritaError) as error:
            failure = error
        except Exception:
            log.exception("run_failed", run_id=run.claim.run_id.hex)
            failure = CartritaError("The answer failed inside the server.")
        if failure is None or run.scope.cancel_called:
            return self._stopped(run)
        if isinstance(failure, ApprovalsNeeded):
            return failure
        self._stop_work(run)
        return endings.failed(run.answer, failure)

    def _stopped(self, run: ActiveRun) -> Ending:
        # Errors raised while the stream was being closed do not hide the stop reason.
        if not run.goes_on:
            self._stop_work(run)
        return self._ending_when_stopped(run)

    def _stop_work(self, run: ActiveRun) -> None:
        """Record what was being done when the run was stopped. Errors of the log are ignored."""
        if not run.answer.seen:
            return
        try:
            run.unfinished.stop()
        except LeaseLost:
            raise
        except CartritaError as error:
            log.info("usage_not_recorded", run_id=run.claim.run_id.hex, code=error.code)

    def _ending_when_stopped(self, run: ActiveRun) -> Ending:
        match run.stop_reason:
            case StopReason.LEASE_LOST:
                raise LeaseLost("This run belongs to another server now.")
            case StopReason.CANCELLED:
                return endings.cancelled(run.answer)
            case StopReason.SHUTDOWN:
                return endings.interrupted(run.answer, "The server stopped")
            case None:
                late = DeadlineExceeded("The answer took longer than a run may take.")
                return endings.failed(run.answer, late)

    async def _end(self, run: ActiveRun, ending: Ending | ApprovalsNeeded) -> RunStatus:
        """Store the ending; the state in which the run is left."""
        run_id = run.claim.run_id
        if isinstance(ending, ApprovalsNeeded):
            return await self._suspend(run, ending)
        if run.goes_on:
            await self._writer.commit(run_id)
            await self._queue.release(run_id)
            return RunStatus.QUEUED
        try:
            await self._writer.end(run_id, ending)
        except LeaseLost:
            raise
        except CartritaError as error:
            return await self._end_unstorable(run, error)
        log_end(run, ending)
        return ending.status

    async def _end_unstorable(self, run: ActiveRun, error: CartritaError) -> RunStatus:
        ending = endings.unstorable(error)
        await self._writer.end(run.claim.run_id, ending)
        log_end(run, ending)
        return ending.status

    async def _suspend(self, run: ActiveRun, needed: ApprovalsNeeded) -> RunStatus:
        """Let the run wait, without an owner, for what people decide."""
        run_id = run.claim.run_id
        asked = [asked_event(approval, task_id) for approval, task_id in needed.asked]
        approvals = tuple(approval for approval, _ in needed.asked)
        try:
            await self._writer.suspend(run_id, asked, approvals)
        except LeaseLost:
            raise
        except CartritaError as error:
            await self._work.end_tools(run)
            return await self._end_unstorable(run, error)
        return RunStatus.WAITING

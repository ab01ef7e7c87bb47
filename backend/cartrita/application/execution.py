"""Executes the runs that this replica claims, and writes their events to the run log."""

import asyncio
import time
from contextlib import aclosing
from enum import Enum
from functools import partial
from typing import Protocol

import anyio
import structlog

from cartrita.agents.registry import AgentRegistry
from cartrita.agents.step import Step
from cartrita.application.brought_keys import BROUGHT, ProviderKeyGone
from cartrita.application.history import History
from cartrita.domain import endings
from cartrita.domain.api_keys import ActiveKey
from cartrita.domain.deltas import FinishReason
from cartrita.domain.errors import CartritaError, DeadlineExceeded, Forbidden, LeaseLost
from cartrita.domain.events import Event, ProviderAwaited, TextAppended, UsageRecorded
from cartrita.domain.fold import Fold
from cartrita.domain.ids import RunId
from cartrita.domain.ports.runs import RunQueue, RunWriter
from cartrita.domain.ports.tokens import TokenCounter
from cartrita.domain.principals import Principal
from cartrita.domain.runs import CancelRequested, Claim, Ending, LeaseRevoked, RunAvailable
from cartrita.gateway.gateway import Gateway
from cartrita.gateway.gateway_provider import Caller
from cartrita.gateway.routes import Deployment

log = structlog.get_logger()

_MAX_PENDING_CLAIMS = 10_000


class KeyLookup(Protocol):
    """Looks up API keys: see `ApiKeys.active`."""

    async def active(self, owner_id: str, key_id: str) -> ActiveKey | None: ...


class _StopReason(Enum):
    """Why the executor stopped a run. A run that reached its deadline has no stop reason."""

    CANCELLED = 1
    LEASE_LOST = 2
    SHUTDOWN = 3


class _ActiveRun:
    """A run that is being executed."""

    def __init__(self, claim: Claim) -> None:
        self.claim = claim
        self.answer = Fold()
        self.scope = anyio.CancelScope(deadline=anyio.current_time() + claim.seconds_left)
        self.stop_reason: _StopReason | None = _StopReason.CANCELLED if claim.cancelled else None
        self.step: Step | None = None
        self.usage_recorded = False
        self.started_at = time.monotonic()

    def stop(self, reason: _StopReason) -> None:
        self.stop_reason = self.stop_reason or reason
        self.scope.cancel()


class Executor:
    """Claims and executes runs, one task per run, as signalled by the queue."""

    def __init__(
        self,
        queue: RunQueue,
        writer: RunWriter,
        history: History,
        gateway: Gateway,
        agents: AgentRegistry,
        counter: TokenCounter | None = None,
        keys: KeyLookup | None = None,
    ) -> None:
        """`keys` tells what the key that asked for a run may do now; without it, everything."""
        self._keys = keys
        self._queue = queue
        self._writer = writer
        self._history = history
        self._gateway = gateway
        self._agents = agents
        self._counter = counter
        self._active: dict[RunId, _ActiveRun] = {}
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
                            self._active[run_id].stop(_StopReason.CANCELLED)
                    case LeaseRevoked():
                        self._stop_all(_StopReason.LEASE_LOST)

    async def drain(self, seconds: float) -> None:
        """Release unstarted runs, and stop those that are still active after `seconds`."""
        await self._release_unstarted()
        try:
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        except TimeoutError:
            log.info("drain_timed_out", active_runs=len(self._active))
            self._stop_all(_StopReason.SHUTDOWN)
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
        run = self._active[claim.run_id] = _ActiveRun(claim)
        self._idle.clear()
        tasks.create_task(self._execute(run))

    def _stop_all(self, reason: _StopReason) -> None:
        for run in list(self._active.values()):
            run.stop(reason)

    async def _execute(self, run: _ActiveRun) -> None:
        """Execute one run. Its failures do not affect others; if it cannot be ended, forget it."""
        run_id = run.claim.run_id
        try:
            await self._end(run, await self._execute_to_ending(run))
        except LeaseLost:
            log.info("run_lease_lost", run_id=run_id.hex)
            self._forget(run)
        except Exception:
            log.exception("run_not_ended", run_id=run_id.hex)
            self._forget(run)
        finally:
            if self._active.get(run_id) is run:
                del self._active[run_id]
            if not self._active:
                self._idle.set()

    def _forget(self, run: _ActiveRun) -> None:
        if self._active.get(run.claim.run_id) is run:
            self._writer.forget(run.claim.run_id)

    async def _execute_to_ending(self, run: _ActiveRun) -> Ending:
        try:
            with run.scope:
                if run.stop_reason is None:
                    return await self._generate_answer(run)
        except LeaseLost:
            raise
        except CartritaError as error:
            failure = error
        except Exception:
            log.exception("run_failed", run_id=run.claim.run_id.hex)
            failure = CartritaError("The answer failed inside the server.")
        else:
            failure = None
        if failure is not None and not run.scope.cancel_called:
            return endings.failed(run.answer, failure)
        # Errors raised while the stream was being closed do not hide the stop reason.
        await self._record_usage(run)
        return self._ending_when_stopped(run)

    async def _record_usage(self, run: _ActiveRun) -> None:
        """Record the usage of a model call that was stopped. Errors of the log are ignored."""
        if (
            run.stop_reason is _StopReason.LEASE_LOST
            or run.step is None
            or run.usage_recorded
            or not run.answer.seen
        ):
            return
        try:
            await self._record(run, run.step.usage_event())
        except LeaseLost:
            raise
        except CartritaError as error:
            log.info("usage_not_recorded", run_id=run.claim.run_id.hex, code=error.code)

    def _ending_when_stopped(self, run: _ActiveRun) -> Ending:
        match run.stop_reason:
            case _StopReason.LEASE_LOST:
                raise LeaseLost("This run belongs to another server now.")
            case _StopReason.CANCELLED:
                return endings.cancelled(run.answer)
            case _StopReason.SHUTDOWN:
                return endings.interrupted(
                    run.answer, "The server stopped; the answer can be continued."
                )
            case None:
                late = DeadlineExceeded("The answer took longer than a run may take.")
                return endings.failed(run.answer, late)

    async def _end(self, run: _ActiveRun, ending: Ending) -> None:
        run_id = run.claim.run_id
        if run.stop_reason is _StopReason.SHUTDOWN and not run.answer.seen:
            return await self._queue.release(run_id)
        try:
            await self._writer.end(run_id, ending)
        except LeaseLost:
            raise
        except CartritaError as error:
            await self._writer.end(run_id, endings.unstorable(error))
        return None

    async def _generate_answer(self, run: _ActiveRun) -> Ending:
        claim = run.claim
        principal = await self._principal(claim)
        agent = self._agents.find(claim.input.agent)
        request = await self._history.build_request(claim, agent)
        if claim.input.prefix:
            await self._record(run, TextAppended(claim.input.prefix, 0))
        deployment = Deployment(claim.input.provider, claim.input.model)
        caller = Caller(
            surface=claim.surface,
            key_id=claim.input.key_id,
            run_id=claim.run_id,
            seconds=claim.seconds_left,
            said=claim.input.prefix,
            on_pause=partial(self._tell_pause, run),
            tenant_id=principal.tenant_id,
            scopes=principal.scopes,
        )
        step = Step(
            self._gateway.provider_for(deployment, route=claim.input.route, caller=caller),
            request,
            said=claim.input.prefix,
            limits=agent.limits,
            counter=self._counter,
        )
        run.step = step
        self._writer.require(claim.run_id)
        async with aclosing(step.events()) as events:
            async for event in events:
                await self._record(run, event)
        reason = step.finish_reason or FinishReason.STOP
        seconds = time.monotonic() - run.started_at
        return endings.completed(
            claim, run.answer, reason, seconds, step.stop_sequence, step.vendor_reason
        )

    async def _principal(self, claim: Claim) -> Principal:
        """Who asked for a run, as the key is now. Raises Forbidden if it does not work any more."""
        key_id = claim.input.key_id
        if self._keys is None or key_id is None:
            return Principal(claim.owner_id, key_id or "")
        key = await self._keys.active(claim.owner_id, key_id)
        if key is None and key_id.startswith(BROUGHT):
            raise ProviderKeyGone
        if key is None:
            raise Forbidden(
                "The API key that asked for this answer does not work any more; try again with "
                "another one.",
                code="key_ended",
            )
        return key.principal

    async def _tell_pause(
        self, run: _ActiveRun, provider: str, seconds: float, position: int
    ) -> None:
        await self._record(run, ProviderAwaited(provider, round(seconds, 3), position))

    async def _record(self, run: _ActiveRun, event: Event) -> None:
        """Append to the log first, so that the answer holds only events that the log accepted."""
        await self._writer.append(run.claim.run_id, event)
        run.answer.add(event)
        run.usage_recorded = isinstance(event, UsageRecorded)

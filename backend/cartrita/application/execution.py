"""Executing runs: this replica's claims, each an agent's answer written to its log."""

import asyncio
import time
from contextlib import aclosing
from enum import Enum

import anyio
import structlog

from cartrita.agents import roster
from cartrita.agents.step import Step
from cartrita.application.history import History
from cartrita.domain import endings
from cartrita.domain.deltas import FinishReason
from cartrita.domain.errors import CartritaError, DeadlineExceeded, LeaseLost
from cartrita.domain.events import Event, TextAppended, UsageRecorded
from cartrita.domain.fold import Fold
from cartrita.domain.ports import RunQueue, RunWriter
from cartrita.domain.runs import CancelRequested, Claim, Ending, LeaseRevoked, RunAvailable
from cartrita.gateway.gateway import Gateway
from cartrita.kit.ids import RunId

log = structlog.get_logger()

_MOST_DUE = 10_000


class _Why(Enum):
    """Why a run's scope was cancelled from outside; a deadline has no reason of ours."""

    CANCELLED = 1
    DEPOSED = 2
    STOPPING = 3


class _Live:
    """A run that is being executed."""

    def __init__(self, claim: Claim) -> None:
        self.claim = claim
        self.answer = Fold()
        self.scope = anyio.CancelScope(deadline=anyio.current_time() + claim.seconds_left)
        self.why: _Why | None = _Why.CANCELLED if claim.cancelled else None
        self.step: Step | None = None
        self.measured = False
        self.began = time.monotonic()

    def stop(self, why: _Why) -> None:
        self.why = self.why or why
        self.scope.cancel()


class Executor:
    """Reacts to the queue's signals; holds the tasks of everything that runs here."""

    def __init__(
        self,
        queue: RunQueue,
        writer: RunWriter,
        history: History,
        gateway: Gateway,
    ) -> None:
        self._queue = queue
        self._writer = writer
        self._history = history
        self._gateway = gateway
        self._live: dict[RunId, _Live] = {}
        self._due = 0
        self._claiming = False
        self._idle = asyncio.Event()
        self._idle.set()

    async def execute_for_ever(self) -> None:
        """React to signals at once: nothing is awaited between two of them."""
        async with asyncio.TaskGroup() as tasks:
            async for signal in self._queue.signals():
                match signal:
                    case RunAvailable():
                        self._due = min(self._due + 1, _MOST_DUE)
                        if not self._claiming:
                            self._claiming = True
                            tasks.create_task(self._claim(tasks))
                    case CancelRequested(run_id=run_id):
                        if run_id in self._live:
                            self._live[run_id].stop(_Why.CANCELLED)
                    case LeaseRevoked():
                        self._stop_all(_Why.DEPOSED)

    async def drain(self, seconds: float) -> None:
        """Give back what has not begun, let what runs finish, then end or give back the rest."""
        await self._give_back()
        try:
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        except TimeoutError:
            log.info("drain_cuts_runs", runs=len(self._live))
            self._stop_all(_Why.STOPPING)
            await self._idle.wait()

    async def _give_back(self) -> None:
        try:
            while (claim := await self._queue.claim()) is not None:
                await self._queue.release(claim.run_id)
        except CartritaError as error:
            log.info("runs_left_to_the_reaper", code=error.code)

    async def _claim(self, tasks: asyncio.TaskGroup) -> None:
        """As many claims as there were signals: each run that is ready here has sent one."""
        try:
            while self._due:
                self._due -= 1
                claim = await self._queue.claim()
                if claim is not None:
                    self._begin(claim, tasks)
        finally:
            self._claiming = False

    def _begin(self, claim: Claim, tasks: asyncio.TaskGroup) -> None:
        live = self._live[claim.run_id] = _Live(claim)
        self._idle.clear()
        tasks.create_task(self._execute(live))

    def _stop_all(self, why: _Why) -> None:
        for live in list(self._live.values()):
            live.stop(why)

    async def _execute(self, live: _Live) -> None:
        """Whatever happens to one run stays with it; one that could not be ended is given back."""
        run_id = live.claim.run_id
        try:
            await self._settle(live, await self._ending(live))
        except LeaseLost:
            log.info("run_lost", run_id=run_id.hex)
            self._forget(live)
        except Exception:
            log.exception("run_not_settled", run_id=run_id.hex)
            self._forget(live)
        finally:
            if self._live.get(run_id) is live:
                del self._live[run_id]
            if not self._live:
                self._idle.set()

    def _forget(self, live: _Live) -> None:
        if self._live.get(live.claim.run_id) is live:
            self._writer.forget(live.claim.run_id)

    async def _ending(self, live: _Live) -> Ending:
        try:
            with live.scope:
                if live.why is None:
                    return await self._answer(live)
        except LeaseLost:
            raise
        except CartritaError as error:
            failure = error
        except Exception:
            log.exception("run_failed", run_id=live.claim.run_id.hex)
            failure = CartritaError("The answer failed inside the server.")
        else:
            failure = None
        if failure is not None and not live.scope.cancel_called:
            return endings.failed(live.answer, failure)
        await self._measure(live)  # a failure while its stream was being left hides no reason
        return self._cut_short(live)

    async def _measure(self, live: _Live) -> None:
        """Count what was used until it was cut; a log that takes nothing more has its reason."""
        if live.why is _Why.DEPOSED or live.step is None or live.measured or not live.answer.seen:
            return
        try:
            await self._take(live, live.step.measured())
        except LeaseLost:
            raise
        except CartritaError as error:
            log.info("usage_not_logged", run_id=live.claim.run_id.hex, code=error.code)

    def _cut_short(self, live: _Live) -> Ending:
        match live.why:
            case _Why.DEPOSED:
                raise LeaseLost("This run belongs to another server now.")
            case _Why.CANCELLED:
                return endings.cancelled(live.answer)
            case _Why.STOPPING:
                return endings.interrupted(
                    live.answer, "The server stopped; the answer can be continued."
                )
            case None:
                late = DeadlineExceeded("The answer took longer than a run may take.")
                return endings.failed(live.answer, late)

    async def _settle(self, live: _Live, ending: Ending) -> None:
        run_id = live.claim.run_id
        if live.why is _Why.STOPPING and not live.answer.seen:
            return await self._queue.release(run_id)
        try:
            await self._writer.end(run_id, ending)
        except LeaseLost:
            raise
        except CartritaError as error:
            await self._writer.end(run_id, endings.unstorable(error))
        return None

    async def _answer(self, live: _Live) -> Ending:
        claim = live.claim
        agent = roster.agent(claim.input.agent)
        request = await self._history.request(claim, agent)
        if claim.input.prefix:
            await self._take(live, TextAppended(claim.input.prefix, 0))
        step = Step(
            self._gateway.provider(claim.input.provider),
            request,
            position=len(claim.input.prefix),
            limits=agent.limits,
        )
        live.step = step
        async with aclosing(step.events()) as events:
            async for event in events:
                await self._take(live, event)
        reason = step.finish_reason or FinishReason.STOP
        return endings.completed(claim, live.answer, reason, time.monotonic() - live.began)

    async def _take(self, live: _Live, event: Event) -> None:
        """Log first: what the log did not take is no part of the answer."""
        await self._writer.append(live.claim.run_id, event)
        live.answer.add(event)
        live.measured = isinstance(event, UsageRecorded)

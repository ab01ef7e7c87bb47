"""Routed answers: one call is answered by whoever can, and what breaks off is continued."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Self

from cartrita.domain.deltas import Accepted, Delta
from cartrita.domain.errors import BudgetExhausted, CartritaError, UpstreamError
from cartrita.domain.failovers import Failover
from cartrita.domain.ledger import CallOutcome
from cartrita.domain.ports.relay_monitors import RelayMonitor
from cartrita.domain.receipts import Receipt, require_exact
from cartrita.domain.usage import Usage
from cartrita.gateway.answer_copies import AnswerCopy
from cartrita.gateway.call_queues import NOTICED_PAUSE
from cartrita.gateway.calls import Call
from cartrita.gateway.continuation import BrokenAnswer
from cartrita.gateway.legs import Leg
from cartrita.gateway.profiles import find_profile
from cartrita.gateway.retry import Attempts
from cartrita.gateway.routes import Deployment
from cartrita.gateway.routing import Plan
from cartrita.gateway.upstreams import Upstreams

_SAME_PAUSE = 0.05
"""A pause that the queue makes anyway, give or take that, is not made before it."""


class RoutedAnswer:
    """The answer to one call; implements `Answer`.

    It is a context, in which the leg that answers is open, and an iterator of its items.
    """

    leg: Leg
    """The call that answers now; there is one once the context has been entered."""

    def __init__(self, call: Call, plan: Plan, upstreams: Upstreams) -> None:
        self._call = call
        self._plan = plan
        self._upstreams = upstreams
        self._latest = upstreams.deadline(call)
        self._grants = upstreams.limiter.grants(call, self._latest, call.on_pause)
        self._opened: AbstractAsyncContextManager[None] | None = None
        self._begun = False
        self._monitor: RelayMonitor | None = None
        self._failovers: tuple[Failover, ...] = ()
        self._continuations = 0
        self._copy: AnswerCopy | None = None
        self._items: AsyncIterator[bytes | Delta] | None = None
        self.cache: str | None = None

    async def __aenter__(self) -> Self:
        """Make attempts until one answers. Raises CartritaError."""
        attempts = self._upstreams.attempts(self._plan.deployments, self._latest)
        try:
            leg = await self._attempt(attempts, self._create_leg)
            self._monitor = leg.monitor
            if self._call.strict:
                require_exact(leg.receipts)
        except BaseException as error:
            await self.__aexit__(type(error), error, error.__traceback__)
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        provider = None if self._opened is None else self.leg.deployment.provider
        complete = self._opened is not None and self.leg.outcome is CallOutcome.COMPLETED
        if complete:
            deployment = self.leg.deployment
            credential = self._call.credential_at(deployment.provider)
            self._upstreams.health.succeeded(deployment, credential)
        try:
            await self._close_leg(kind, error, trace)
        finally:
            self._upstreams.note_answer(
                self._call, provider, self._failovers, error, complete=complete
            )

    @property
    def items(self) -> AsyncIterator[bytes | Delta]:
        """See `Answer`; what is set passes on those of this answer."""
        return self._items or self

    @items.setter
    def items(self, items: AsyncIterator[bytes | Delta]) -> None:
        self._items = items

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes | Delta:
        leg = self.leg
        if not self._begun:
            self._begun = True
            if leg.monitor is None:
                return self._accepted()
        try:
            item = await leg.read()
        except UpstreamError as error:
            await self._continue(error)
            item = self._accepted()
        if item is None:
            raise StopAsyncIteration
        if self._copy is not None:
            self._copy.add(item)
        return item

    @property
    def provider(self) -> str:
        return self.leg.deployment.provider

    @property
    def model(self) -> str:
        return self.leg.deployment.model

    @property
    def answered_as(self) -> str | None:
        return self.leg.answered_as

    @property
    def receipts(self) -> tuple[Receipt, ...]:
        return self.leg.receipts

    @property
    def failovers(self) -> tuple[Failover, ...]:
        return self._failovers + self.leg.failovers

    @property
    def headers(self) -> Mapping[str, str]:
        return self.leg.headers

    @property
    def relayed(self) -> bool:
        return self.leg.monitor is not None

    @property
    def monitor(self) -> RelayMonitor | None:
        return self._monitor

    @property
    def usage(self) -> Usage | None:
        return None if self._monitor is None else self._monitor.usage

    def copied(self) -> AnswerCopy:
        """From now on all that is passed on is added to this copy."""
        self._copy = AnswerCopy()
        return self._copy

    def _create_leg(self, deployment: Deployment) -> Awaitable[Leg]:
        return self._upstreams.leg(self._call, deployment)

    async def _attempt(
        self, attempts: Attempts, create: Callable[[Deployment], Awaitable[Leg]]
    ) -> Leg:
        """The first leg that opens. Raises the error of the last one where none does."""
        leg = await create(attempts.next(self._grants.eta))
        while not await self._opens(leg, attempts):
            following = await create(attempts.next(self._grants.eta))
            failed = leg.deployment
            if following.deployment == failed:  # tried again, not replaced
                self._failovers = self._failovers[:-1]
                self._upstreams.counts.retried(failed.provider)
            else:
                self._upstreams.counts.failed_over(failed.provider, continued=False)
            leg = following
        self.leg = leg
        return leg

    async def _opens(self, leg: Leg, attempts: Attempts) -> bool:
        """Open a leg when it may begin; false where it failed and another attempt may be made."""
        deployment = leg.deployment
        await self._take(deployment.provider)
        self._upstreams.health.started(deployment)
        try:
            opened = leg.opened()
            await opened.__aenter__()
        except UpstreamError as error:
            self._upstreams.failed(self._call, deployment, error)
            self._grants.failed(deployment.provider, error)
            pause = attempts.failed(deployment, error)
            self._add_failover(deployment, error)
        except BudgetExhausted:
            self._grants.give_back(deployment.provider)
            raise
        else:
            self._opened = opened
            return True
        if pause and not self._queues(attempts.following.provider, pause):
            await self._pause(deployment.provider, pause)
        return False

    async def _take(self, provider: str) -> None:
        """Wait until an attempt may be made, by the limits and by its caller."""
        await self._grants.take(provider)
        if self._call.before_attempt is not None:
            try:
                self._call.before_attempt()
            except BaseException:
                self._grants.give_back(provider)
                raise

    def _queues(self, provider: str, pause: float) -> bool:
        """Whether the next call waits as long in the queue, before those that came later."""
        eta = self._grants.eta(provider)
        return eta > 0 and eta > pause - _SAME_PAUSE

    async def _pause(self, provider: str, seconds: float) -> None:
        if self._call.on_pause is not None and seconds >= NOTICED_PAUSE:
            await self._call.on_pause(provider, seconds, 1)
        await self._upstreams.sleep(seconds)

    async def _close_leg(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        opened, self._opened = self._opened, None
        if opened is not None:
            await opened.__aexit__(kind, error, trace)

    async def _continue(self, error: UpstreamError) -> None:
        """Have the answer continued by another call. Raises the error where it cannot be."""
        deployment = self.leg.deployment
        self._upstreams.broke_off(self._call, deployment, error)
        broken = await self._broken(error)
        successors = self._successors(deployment)
        self._continuations += 1
        if broken is None or not successors:
            raise error
        attempts = self._upstreams.attempts(successors, self._latest)
        if attempts.late or self._continuations > self._upstreams.policy.continuations:
            raise error
        await self._close_leg(type(error), error, error.__traceback__)
        self._add_failover(deployment, error, continued=True)
        try:
            await self._attempt(
                attempts, lambda one: self._upstreams.continued_leg(self._call, broken, one)
            )
        except CartritaError:
            raise error from None
        self._upstreams.counts.failed_over(deployment.provider, continued=True)

    async def _broken(self, error: UpstreamError) -> BrokenAnswer | None:
        if self.relayed and not self._call.continuable:  # of several answers only one could go on
            return None
        try:
            request = await self._call.read()
        except CartritaError:  # a relayed request may be one that only its provider understands
            return None
        return BrokenAnswer.of(self.leg, request, error)

    def _successors(self, failed: Deployment) -> tuple[Deployment, ...]:
        """Who may continue an answer of a deployment, the preferred ones first."""
        others = [one for one in self._plan.deployments if one != failed]
        if self._plan.continue_with == "same":
            candidates = [failed, *(one for one in others if one.model == failed.model)]
        else:
            candidates = [*others, failed]
        able = [one for one in candidates if find_profile(one.model).continues]
        return self._upstreams.health.usable(able, self._call.credentials)

    def _add_failover(
        self, failed: Deployment, error: UpstreamError, *, continued: bool = False
    ) -> None:
        failover = Failover(failed.provider, failed.model, error.code, continued)
        self._failovers = (*self._failovers, failover)

    def _accepted(self) -> Accepted:
        return Accepted(self.provider, self.model, self.receipts, self.failovers, self.answered_as)

"""Legs whose answer comes as deltas."""

from collections import deque
from collections.abc import AsyncIterator, Awaitable
from contextlib import AbstractAsyncContextManager

from msgspec.structs import replace

from cartrita.domain.answer_parts import AnswerParts
from cartrita.domain.deltas import Accepted, Delta, Finished, size_of
from cartrita.domain.errors import BudgetExhausted, UpstreamCut, UpstreamError
from cartrita.domain.failovers import Failover
from cartrita.domain.ledger import CallOutcome
from cartrita.domain.ports.providers import ModelProvider
from cartrita.domain.receipts import Receipt
from cartrita.domain.requests import ModelRequest
from cartrita.domain.usage import Usage
from cartrita.gateway.call_log import AnswerTold, logs_calls
from cartrita.gateway.legs import NO_HEADERS
from cartrita.gateway.metering import MeteredCall
from cartrita.gateway.opened_calls import OpenedCall
from cartrita.gateway.partial_answers import PartialAnswer
from cartrita.gateway.reservations import Reservation


class TranslatedLeg:
    """A call whose answer comes as deltas; the provider's `Accepted` is kept back."""

    def __init__(
        self, provider: ModelProvider, request: ModelRequest, metered: MeteredCall
    ) -> None:
        self._provider = provider
        self._request = request
        self._metered = metered
        self._primed: deque[Delta] = deque()
        self._deltas: AsyncIterator[Delta] | None = None
        self._reading = False  # what was primed may have been seen
        self._partial = PartialAnswer()
        self._parts = AnswerParts() if logs_calls() else None
        self._told: list[Delta] | None = None if metered.call.traced_for is None else []
        self._finished: Finished | None = None
        self._counted = Usage()
        self.deployment = metered.deployment
        self.outcome = CallOutcome.CANCELLED
        self.receipts: tuple[Receipt, ...] = ()
        self.failovers: tuple[Failover, ...] = ()
        self.answered_as: str | None = None
        self.headers = NO_HEADERS
        self.monitor = None
        if (told := self._told) is not None:
            metered.answer = lambda: told

    def opened(self) -> AbstractAsyncContextManager[None]:
        """See `Leg`."""
        stream = self._provider.stream(self._request)
        return OpenedCall(self, self._metered, stream, self._begin, growing=True)

    def read(self) -> Awaitable[Delta | None]:
        return self._read_primed() if self._primed else self._next()

    def partial(self) -> PartialAnswer:
        return self._partial

    def usage(self) -> Usage:
        if self._deltas is None:
            return Usage()  # of a call that was not accepted, whose provider used nothing
        # What is counted at the beginning is not all of the output.
        reported = replace(self._counted, output_tokens=0)
        if self._finished is not None:
            reported = self._finished.usage
        if reported.whole:
            return reported
        return self._metered.complete(reported, lambda: self._request, self._partial.written)

    def told(self) -> AnswerTold:
        """See `Reported`; the id is that of the surface, which writes the answer."""
        reason = None if self._finished is None else self._finished.reason
        return AnswerTold(None, reason, {} if self._parts is None else self._parts.counts)

    async def _begin(self, deltas: AsyncIterator[Delta]) -> None:
        self._deltas = deltas
        await self._prime()

    async def _prime(self) -> None:
        """Read until something is visible; an answer that nobody reads as it comes, to its end."""
        until_end = not self._metered.call.streamed
        while (delta := await self._next()) is not None:
            if isinstance(delta, Accepted):
                self.receipts, self.failovers = delta.receipts, delta.failovers
                self.answered_as = delta.answered_as
                self._counted = delta.counted or Usage()
                continue
            self._primed.append(delta)
            if self._metered.first_token_seconds is None:
                self._metered.mark_first_token()
            if not until_end or isinstance(delta, Finished):
                break
        self._reading = True

    async def _read_primed(self) -> Delta | None:
        return self._primed.popleft()

    async def _next(self) -> Delta | None:
        assert self._deltas is not None
        try:
            delta = await anext(self._deltas)
        except StopAsyncIteration:
            return self._end()
        except UpstreamError:
            if self._reading:
                self.outcome = CallOutcome.CUT
            raise
        self._hear(delta)
        if (reservation := self._metered.reservation) is not None:
            await self._cover(reservation, delta)
        if isinstance(delta, Finished):
            self._finished = delta
            self.outcome = CallOutcome.COMPLETED
            if not delta.usage.whole:
                return replace(delta, usage=self.usage())
        return delta

    def _hear(self, delta: Delta) -> None:
        self._partial.add(delta)
        if self._parts is not None:
            self._parts.add(delta)
        if self._told is not None:
            self._told.append(delta)
            self._metered.answer_bytes += size_of((delta,))

    async def _cover(self, reservation: Reservation, delta: Delta) -> None:
        try:
            await reservation.cover(size_of([delta]), lambda: self._partial.written)
        except BudgetExhausted:
            if self._reading:
                self.outcome = CallOutcome.CUT
            raise

    def _end(self) -> None:
        if self._finished is None:
            if self._reading:
                self.outcome = CallOutcome.CUT
            name = self.deployment.provider
            raise UpstreamCut(f"{name} ended its answer in the middle.", provider=name)

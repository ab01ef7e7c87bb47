"""Calls that go on with an answer that broke off, at its seam."""

from collections import deque
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager

from msgspec.structs import replace

from cartrita.domain.deltas import Delta, Finished, ReasoningDelta, TextDelta
from cartrita.domain.failovers import Failover
from cartrita.domain.ledger import CallOutcome
from cartrita.domain.ports.relay_monitors import RelayMonitor
from cartrita.domain.receipts import Receipt
from cartrita.domain.usage import Usage
from cartrita.gateway.continuation import BrokenAnswer
from cartrita.gateway.partial_answers import PartialAnswer
from cartrita.gateway.seams import Seam
from cartrita.gateway.translated_legs import TranslatedLeg


class ContinuedLeg:
    """A call that continues a broken answer: what it repeats is left out, its usage is added.

    Its reasoning is left out too, because it would stand in the middle of the answer.
    """

    def __init__(self, leg: TranslatedLeg, broken: BrokenAnswer, seam: Seam) -> None:
        self._leg = leg
        self._seam = seam
        self._before = broken.usage
        self._partial = PartialAnswer(broken.said)
        self._pending: deque[Delta] = deque()
        self.deployment = leg.deployment

    @property
    def outcome(self) -> CallOutcome:
        return self._leg.outcome

    @property
    def answered_as(self) -> str | None:
        return self._leg.answered_as

    @property
    def receipts(self) -> tuple[Receipt, ...]:
        return self._leg.receipts

    @property
    def failovers(self) -> tuple[Failover, ...]:
        return self._leg.failovers

    @property
    def headers(self) -> Mapping[str, str]:
        return self._leg.headers

    @property
    def monitor(self) -> RelayMonitor | None:
        return None

    def opened(self) -> AbstractAsyncContextManager[None]:
        """See `Leg`."""
        return self._leg.opened()

    async def read(self) -> Delta | None:
        """See `Leg`."""
        while not self._pending:
            delta = await self._leg.read()
            if delta is None:
                return None
            self._add(delta)
        delta = self._pending.popleft()
        self._partial.add(delta)
        return delta

    def partial(self) -> PartialAnswer:
        """All that was said, with what came before."""
        return self._partial

    def usage(self) -> Usage:
        """All that was used, with what was used before."""
        return self._before + self._leg.usage()

    def _add(self, delta: Delta) -> None:
        match delta:
            case ReasoningDelta():
                return
            case TextDelta(text=text):
                if new := self._seam.feed(text):
                    self._pending.append(replace(delta, text=new))
                return
            case Finished():
                delta = replace(delta, usage=self.usage())
            case _:
                pass
        if rest := self._seam.end():
            self._pending.append(TextDelta(rest))
        self._pending.append(delta)

"""What this process has leased of one budget in one period, and what calls have reserved of it."""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Final

import structlog

from cartrita.domain.budgets import Budget, BudgetSpending, BudgetUnit, Settlement
from cartrita.domain.errors import BudgetExhausted, CartritaError, Unavailable
from cartrita.domain.ports.budgets import BudgetLeases
from cartrita.kit import clock
from cartrita.kit.owned_tasks import OwnedTasks
from cartrita.kit.pause import Pause
from cartrita.kit.repeated_failures import RepeatedFailures

log = structlog.get_logger(__name__)

_NOTHING: Final = Decimal(0)
_REFUSED_S: Final = 0.25
"""For so long what was refused is refused again without asking: others may give something back."""
_IDLE_S: Final = 5.0


class BudgetLease:
    """The lease of one budget: calls take from what was leased, ahead of need.

    What is leased is always what is free here, what calls hold, and what is to be settled. A block
    is the share of the budget that is leased at once.
    """

    def __init__(
        self,
        spending: BudgetSpending,
        budget: Budget,
        leases: BudgetLeases,
        tasks: OwnedTasks,
        *,
        block: Decimal,
        failure_logger: RepeatedFailures,
        now: Callable[[], datetime] = clock.now,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._now = now
        self.spending = spending
        self.budget = budget
        self._leases = leases
        self._tasks = tasks
        part = budget.amount * block
        self._block = part // 1 if budget.unit is BudgetUnit.TOKENS else part
        self._monotonic = monotonic
        self._free = _NOTHING
        self._held = _NOTHING
        self._wanted = _NOTHING
        self._peaks = (_NOTHING, _NOTHING)
        self._leasing = asyncio.Lock()
        self._asking = set[asyncio.Task[CartritaError | None]]()
        self._away = Pause(_REFUSED_S, monotonic)
        self._failure_logger = failure_logger
        self._used_at = 0.0
        self._refused: tuple[Decimal, float] | None = None

    @property
    def unused(self) -> bool:
        """Whether nothing is leased, neither free nor held by a call."""
        return not self._free and not self._held and not self._leasing.locked()

    async def take(self, amount: Decimal) -> None:
        """Reserve so much for a call. Raises BudgetExhausted, and Unavailable."""
        self._used_at = self._monotonic()
        if self._free < amount or self._leasing.locked():
            await self._wait(amount)
        self._free -= amount
        self._held += amount
        self._peaks = (self._peaks[0], max(self._peaks[1], self._held))
        if self._free < self._block / 2 and not self._asking and self._tasks.running:
            self._start_lease(_NOTHING, self._block - self._free)

    def settle(self, held: Decimal, spent: Decimal) -> Settlement:
        """A call that held so much has spent so much: the rest is free again.

        What it spent beyond that is taken from what is free, as far as that goes.
        """
        self._held -= held
        self._free += held - spent
        overrun = max(-self._free, _NOTHING)
        self._free += overrun
        if self._free:
            self._refused = None
        return Settlement(self.spending, spent - overrun, overrun)

    async def trim(self, *, everything: bool = False) -> None:
        """Leave to others what is not needed here: all of it after a time without calls.

        As much stays as was held at once since the last time but one, and two blocks. What could
        not be given back, or may have been, counts as used until the end of the period.
        """
        if everything and self._asking:
            await asyncio.wait(self._asking)
        needed = max(*self._peaks) - self._held + 2 * self._block
        self._peaks = (self._peaks[1], self._held)
        idle = self._monotonic() - self._used_at > _IDLE_S
        surplus = self._free if everything or idle else self._free - needed
        if surplus <= 0:
            return
        self._free -= surplus
        try:
            await self._leases.give_back(self.spending, surplus)
        except CartritaError as error:
            log.warning("budget_not_given_back", code=error.code)

    def exhausted(self, amount: Decimal) -> BudgetExhausted:
        """The error of a call that might cost this amount."""
        budget, now = self.budget, self._now()
        end = budget.period.end(now)
        whole = f"{_told(budget, budget.amount)} a {budget.period}"
        return BudgetExhausted(
            f"What is left of the {budget.subject.kind}'s budget of {whole} is less than the "
            f"{_told(budget, amount)} that this may use. Ask for less (fewer tokens at most), "
            f"or try again after {clock.iso(end)}.",
            details={
                "subject": budget.subject.kind,
                "period": budget.period,
                "unit": budget.unit,
                "resets_at": clock.iso(end),
            },
            retry_after=(end - now).total_seconds(),
        )

    async def _wait(self, amount: Decimal) -> None:
        """Lease until so much is free, after those who came before. Raises as `take` does."""
        self._wanted += amount
        try:
            async with self._leasing:
                if self._free < amount:
                    await self._lease(amount)
        finally:
            self._wanted -= amount

    async def _lease(self, amount: Decimal) -> None:
        least = amount - self._free
        if self._recently_refused(least):
            raise self.exhausted(amount)
        if not self._away.over:  # those who wait do not wait in turn
            raise _unavailable()
        await self._ask(least, self._wanted - self._free + self._block)
        if self._free < amount:
            self._refused = (amount - self._free, self._monotonic())
            raise self.exhausted(amount)

    def _recently_refused(self, least: Decimal) -> bool:
        if self._refused is None:
            return False
        refused, at = self._refused
        return least >= refused and self._monotonic() - at < _REFUSED_S

    async def _ask(self, least: Decimal, wanted: Decimal) -> None:
        """Lease; a caller that goes away meanwhile takes nothing that was leased with it."""
        if self._tasks.running:
            failure = await asyncio.shield(self._start_lease(least, wanted))
        else:
            failure = await self._keep(least, wanted)
        if failure is not None:
            self._away.begin()
            raise failure
        self._away.end()

    def _start_lease(self, least: Decimal, wanted: Decimal) -> asyncio.Task[CartritaError | None]:
        task = self._tasks.start(self._keep(least, wanted))
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)
        return task

    async def _keep(self, least: Decimal, wanted: Decimal) -> CartritaError | None:
        """Keep what is leased, and return why nothing was."""
        try:
            leased = await self._leases.lease(self.spending, least, wanted)
        except CartritaError as error:
            return error
        except Exception as error:
            self._failure_logger.exception("lease", error=error)
            return _unavailable()
        self._failure_logger.forget("lease")
        self._free += leased  # which other calls have changed meanwhile
        return None


def _unavailable() -> Unavailable:
    return Unavailable("The server's budgets cannot be read; try again in a moment.", retry_after=1)


def _told(budget: Budget, amount: Decimal) -> str:
    if budget.unit is BudgetUnit.MONEY:
        return f"${amount.normalize():f}"
    return f"{amount:,.0f} tokens"

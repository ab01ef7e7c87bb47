"""Budgeting: what a call may use is reserved of all budgets that it counts against, and settled."""

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final, Protocol, TypeAlias

import msgspec
import structlog

from cartrita.domain.budgets import (
    AllBudgets,
    Budget,
    BudgetSpending,
    BudgetUnit,
    Settlement,
)
from cartrita.domain.errors import Forbidden
from cartrita.domain.ports.budgets import BudgetLeases
from cartrita.domain.usage import Usage
from cartrita.gateway.budget_leases import BudgetLease
from cartrita.gateway.calls import Call
from cartrita.gateway.fixed_reservations import FixedReservation
from cartrita.gateway.pricing import Price
from cartrita.gateway.routes import Deployment
from cartrita.gateway.usage_bounds import (
    OutputBound,
    most_input,
    most_output,
    most_output_of_model,
)
from cartrita.kit import clock
from cartrita.kit.owned_tasks import OwnedTasks
from cartrita.kit.repeated_failures import RepeatedFailures

log = structlog.get_logger()

PriceOf: TypeAlias = Callable[[str, str], Price | None]
"""The price of a model, by the names of its provider and of it; None where it is not known."""

_NOTHING: Final = Decimal(0)
_TRIM_S: Final = 1.0
_STEPS: Final = 8
"""More is reserved for an answer when less than this part of what was reserved at once is left."""


class BudgetedCall(Protocol):
    """A call that counts against budgets: of which key, user and tenant."""

    @property
    def key_id(self) -> str | None: ...

    @property
    def owner_id(self) -> str: ...

    @property
    def tenant_id(self) -> str: ...


class BudgetPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How much is leased and reserved at once.

    `block` is the part of a budget that a process leases ahead. `output_tokens` are reserved at
    first for an answer whose length nobody limits. Models whose price is not known are called in
    spite of a budget in money if they are of one of the providers in `free`, or any if `unpriced`.
    """

    block: Decimal = Decimal("0.02")
    output_tokens: int = 4096
    unpriced: bool = False
    free: frozenset[str] = frozenset()


class Budgeting:
    """Knows all budgets, and holds what this process has leased of them."""

    def __init__(
        self,
        leases: BudgetLeases,
        price: PriceOf,
        policy: BudgetPolicy | None = None,
        *,
        tasks: OwnedTasks | None = None,
        now: Callable[[], datetime] = clock.now,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._leases = leases
        self._price = price
        self._tasks = tasks or OwnedTasks()
        self._now = now
        self._monotonic = monotonic
        self._budgets = AllBudgets()
        self._leased: dict[BudgetSpending, BudgetLease] = {}
        self._closed: list[BudgetLease] = []  # that calls may still hold something of
        self._failure_logger = RepeatedFailures("budgets_not_given_back")
        self.policy = policy or BudgetPolicy()

    async def refresh(self) -> None:
        """Read all budgets again. What was leased of those that are changed is given back soon.

        Whoever notices changes does not wait for that: there may be many.
        """
        self._budgets = await self._leases.all()
        known = {one for budgets in self._budgets.by_subject.values() for one in budgets}
        changed = [key for key, one in self._leased.items() if one.budget not in known]
        self._closed += [self._leased.pop(key) for key in changed]

    async def run(self) -> None:
        """Give back what is not needed, and at the end, when it is cancelled, all of it."""
        async with asyncio.TaskGroup() as group:
            owned = group.create_task(self._tasks.run())
            try:
                while True:
                    await asyncio.sleep(_TRIM_S)
                    await self._trim()
            finally:
                await self._trim(everything=True)
                owned.cancel()

    def payable(self, call: Call, deployments: Sequence[Deployment]) -> Sequence[Deployment]:
        """Those of the deployments whose price is known, if the call has a budget in money.

        Raises Forbidden if there are none.
        """
        budget = next((b for b in self._of(call) if b.unit is BudgetUnit.MONEY), None)
        if budget is None or self.policy.unpriced:
            return deployments
        payable = [one for one in deployments if self._has_price(one)]
        if payable or not deployments:
            return deployments if len(payable) == len(deployments) else payable
        raise Forbidden(
            f"The price of {deployments[0].id} is not known, so that the {budget.subject.kind}'s "
            "budget cannot pay for it. Name another model, or have the operator add its price "
            "(ledger.prices) or allow models without one (budgets.unpriced).",
            code="price_unknown",
        )

    def reservation(
        self, call: Call, deployment: Deployment, said: str = ""
    ) -> "Reservation | None":
        """What a call of this deployment is to reserve; None if it counts against no budget."""
        if not call.recorded or not (budgets := self._of(call)):
            return None
        leases = [self._lease_of(one) for one in budgets]
        price = self._price(deployment.provider, deployment.model)
        return Reservation(call, deployment.model, leases, price, self.policy, said)

    def fixed_reservation(self, call: BudgetedCall, price: Decimal) -> FixedReservation | None:
        """What a request of this price is to reserve; None if it counts against no budget."""
        if not price or not (budgets := self._of(call)):
            return None
        return FixedReservation(map(self._lease_of, budgets), price)

    def _of(self, call: BudgetedCall) -> tuple[Budget, ...]:
        return self._budgets.of(call.key_id, call.owner_id, call.tenant_id)

    def _has_price(self, deployment: Deployment) -> bool:
        provider = deployment.provider
        return provider in self.policy.free or self._price(provider, deployment.model) is not None

    def _lease_of(self, budget: Budget) -> BudgetLease:
        since = budget.period.since(self._now())
        key = BudgetSpending(budget.subject, budget.period, budget.unit, since)
        found = self._leased.get(key)
        if found is None:
            found = self._leased[key] = BudgetLease(
                key,
                budget,
                self._leases,
                self._tasks,
                block=self.policy.block,
                now=self._now,
                monotonic=self._monotonic,
            )
        return found

    async def _trim(self, *, everything: bool = False) -> None:
        """No failure ends it: what is not given back now is given back later."""
        now = self._now()
        over = [key for key in self._leased if key.since != key.period.since(now)]
        self._closed += [self._leased.pop(key) for key in over]
        try:
            for lease in [*self._leased.values()]:
                await lease.trim(everything=everything)
            for lease in [*self._closed]:
                await lease.trim(everything=True)
        except Exception as error:
            self._failure_logger.exception("trim", error=error)
        self._closed = [one for one in self._closed if not one.unused]


class Reservation:
    """What one call may use: reserved before it is made, more while it runs, and settled after.

    Without a price it uses no money.
    """

    def __init__(
        self,
        call: Call,
        model: str,
        leases: Sequence[BudgetLease],
        price: Price | None,
        policy: BudgetPolicy,
        said: str,
    ) -> None:
        self._call = call
        self._model = model
        self._leases = leases
        self._price = price
        self._policy = policy
        self._said = said
        self._held: dict[BudgetLease, Decimal] = {}
        self._least: dict[BudgetLease, Decimal] = {}
        self._input = 0
        self._output = 0
        self._bound: OutputBound | None = None

    async def open(self, *, growing: bool) -> None:
        """Reserve the most that the call may use. Raises BudgetExhausted, and Unavailable.

        If it may be `growing`, an answer of no certain length is covered as far as it is read, and
        not from the start up to all that its model could write.
        """
        self._input = await most_input(self._call, self._model, self._said)
        output = await most_output(self._call)
        if output is None and growing:
            self._bound = OutputBound()
            output = self._policy.output_tokens * self._call.choices
        elif output is None:
            output = most_output_of_model(self._call, self._model, self._policy.output_tokens)
        await self._reserve(output)

    async def cover(self, size: int, written: Callable[[], str]) -> None:
        """So many bytes of the answer have come. Raises BudgetExhausted if it cannot go on."""
        bound = self._bound
        if bound is None or bound.add(size) <= self._output:
            return
        step, come = self._policy.output_tokens, bound.count(written)
        if self._output - come < step // _STEPS:
            await self._reserve(max(self._output, come) + step)

    def lose(self) -> None:
        """Nobody will know what it has used: all that is reserved counts as used when it settles.

        A provider goes on with an answer that comes as a whole when its caller has left, and is
        paid for it.
        """
        self._least = self._held.copy()

    def settle(self, usage: Usage, cost: Decimal | None) -> tuple[Settlement, ...]:
        """The call has used this: nothing is reserved for it any more."""
        held, self._held = self._held, {}
        tokens = Decimal(usage.total_tokens)
        used = {BudgetUnit.TOKENS: tokens, BudgetUnit.MONEY: cost or _NOTHING}
        return tuple(
            one.settle(amount, max(used[one.budget.unit], self._least.get(one, _NOTHING)))
            for one, amount in held.items()
        )

    async def _reserve(self, output: int) -> None:
        amounts = {
            BudgetUnit.TOKENS: Decimal(self._input + output),
            BudgetUnit.MONEY: _NOTHING
            if self._price is None
            else self._price.of_size(self._input).most(self._input, output),
        }
        try:
            for lease in self._leases:
                await self._hold(lease, amounts[lease.budget.unit])
        except BaseException:
            if not self._output:  # it was not made
                self.settle(Usage(), None)
            raise
        self._output = output

    async def _hold(self, lease: BudgetLease, amount: Decimal) -> None:
        held = self._held.get(lease, _NOTHING)
        if amount > held:
            await lease.take(amount - held)
        self._held[lease] = max(amount, held)

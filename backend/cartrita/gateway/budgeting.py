"""Budgeting: all budgets, and what this process has leased of them for its calls."""

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final, Protocol, TypeAlias

from cartrita.domain.budgets import AllBudgets, Budget, BudgetSpending, BudgetUnit
from cartrita.domain.errors import Forbidden
from cartrita.domain.ports.budgets import BudgetLeases
from cartrita.gateway.budget_leases import BudgetLease
from cartrita.gateway.calls import Call
from cartrita.gateway.fixed_reservations import FixedReservation
from cartrita.gateway.pricing import Price
from cartrita.gateway.reservations import BudgetPolicy, Reservation
from cartrita.gateway.routes import Deployment
from cartrita.kit import clock
from cartrita.kit.owned_tasks import OwnedTasks
from cartrita.kit.repeated_failures import RepeatedFailures

PriceOf: TypeAlias = Callable[[str, str, str], Price | None]
"""The price of a model by the names of its provider, of it and of a tenant; None if unknown."""

_TRIM_S: Final = 1.0


class BudgetedCall(Protocol):
    """A call that counts against budgets: of which key, user and tenant."""

    @property
    def key_id(self) -> str | None: ...

    @property
    def owner_id(self) -> str: ...

    @property
    def tenant_id(self) -> str: ...


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
        self._lease_failure_logger = RepeatedFailures("budget_not_leased")
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
        """Those of the deployments whose price is known, if the call has a budget in money, or a
        cap on it that is kept by them alone.

        Raises Forbidden if there are none.
        """
        limit = self._limit_of(call)
        if limit is None:
            return deployments
        payable = [one for one in deployments if self._has_price(one, call.tenant_id)]
        if payable or not deployments:
            return deployments if len(payable) == len(deployments) else payable
        raise Forbidden(
            f"The price of {deployments[0].id} is not known, so that {limit[0]}. Name another "
            "model, or have the operator add its price (ledger.prices) or allow models without "
            f"one ({limit[1]}).",
            code="price_unknown",
        )

    def reservation(self, call: Call, deployment: Deployment, said: str = "") -> Reservation | None:
        """What a call of this deployment is to reserve; None if it counts against no budget."""
        if not call.recorded or not (budgets := self._of(call)):
            return None
        leases = [self._lease_of(one) for one in budgets]
        price = self._price(deployment.provider, deployment.model, call.tenant_id)
        return Reservation(call, deployment.model, leases, price, self.policy, said)

    def fixed_reservation(self, call: BudgetedCall, price: Decimal) -> FixedReservation | None:
        """What a request of this price is to reserve; None if it counts against no budget."""
        if not price or not (budgets := self._of(call)):
            return None
        return FixedReservation(map(self._lease_of, budgets), price)

    def _limit_of(self, call: Call) -> tuple[str, str] | None:
        """What cannot be kept without a price, if there is something, and the setting for it."""
        budget = next((b for b in self._of(call) if b.unit is BudgetUnit.MONEY), None)
        if budget is not None and not self.policy.unpriced:
            return f"the {budget.subject.kind}'s budget cannot pay for it", "budgets.unpriced"
        return ("the cap on cost cannot count it", "agents.unpriced") if call.priced_only else None

    def _of(self, call: BudgetedCall) -> tuple[Budget, ...]:
        return self._budgets.of(call.key_id, call.owner_id, call.tenant_id)

    def _has_price(self, deployment: Deployment, tenant: str) -> bool:
        provider, model = deployment.provider, deployment.model
        return provider in self.policy.free or self._price(provider, model, tenant) is not None

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
                failure_logger=self._lease_failure_logger,
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

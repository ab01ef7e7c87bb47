"""What one request of a known price costs: reserved before it is made, and settled after."""

from collections.abc import Iterable
from decimal import Decimal

from cartrita.domain.budgets import BudgetUnit, Settlement
from cartrita.gateway.budget_leases import BudgetLease


class FixedReservation:
    """Reserves the price of budgets in money. It uses no tokens."""

    def __init__(self, leases: Iterable[BudgetLease], price: Decimal) -> None:
        self._leases = [one for one in leases if one.budget.unit is BudgetUnit.MONEY]
        self._price = price
        self._held: list[BudgetLease] = []

    async def open(self) -> None:
        """Reserve it of each. Raises BudgetExhausted, and Unavailable."""
        try:
            for lease in self._leases:
                await lease.take(self._price)
                self._held.append(lease)
        except BaseException:
            self.settle(Decimal(0))
            raise

    async def grow(self, price: Decimal) -> None:
        """Reserve so much more of each. Raises as `open` does; nothing has changed then."""
        await FixedReservation(self._leases, price).open()
        self._price += price

    def settle(self, spent: Decimal) -> tuple[Settlement, ...]:
        """So much was spent: nothing is reserved any more."""
        held, self._held = self._held, []
        return tuple(lease.settle(self._price, spent) for lease in held)

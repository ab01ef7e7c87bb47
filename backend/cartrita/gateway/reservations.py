"""Reservations: what one call may use of all budgets that limit it, until that is settled."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from cartrita.domain.budgets import BudgetUnit, Settlement
from cartrita.domain.usage import Usage
from cartrita.gateway.budget_leases import BudgetLease
from cartrita.gateway.calls import Call
from cartrita.gateway.pricing import Price
from cartrita.gateway.pricing_failures import unpriced_if_it_fails
from cartrita.gateway.usage_bounds import (
    OutputBound,
    most_input,
    most_output,
    most_output_of_model,
)

_NOTHING: Final = Decimal(0)
_STEPS: Final = 8
"""More is reserved for an answer when less than this part of what was reserved at once is left."""


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
        """The call has used this: nothing is reserved for it any more.

        Where the price of a part is not known, so that it has no `cost`, its tokens still count.
        """
        held, self._held = self._held, {}
        tokens = Decimal(usage.total_tokens)
        money = (self._cost_of_tokens(usage) or _NOTHING) if cost is None else cost
        used = {BudgetUnit.TOKENS: tokens, BudgetUnit.MONEY: money}
        return tuple(
            one.settle(amount, max(used[one.budget.unit], self._least.get(one, _NOTHING)))
            for one, amount in held.items()
        )

    @unpriced_if_it_fails
    def _cost_of_tokens(self, usage: Usage) -> Decimal | None:
        price = self._price
        return None if price is None else price.of_size(usage.input_tokens).cost(usage)

    @unpriced_if_it_fails
    def _most(self, output: int) -> Decimal | None:
        price = self._price
        return None if price is None else price.of_size(self._input).most(self._input, output)

    async def _reserve(self, output: int) -> None:
        amounts = {
            BudgetUnit.TOKENS: Decimal(self._input + output),
            BudgetUnit.MONEY: self._most(output) or _NOTHING,
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

"""Whatever becomes of calls, and of the processes that make them, no budget is passed."""

import asyncio
from contextlib import suppress
from decimal import Decimal
from itertools import count
from typing import TypeAlias

from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.backend.adapters.persistence.accounts import change
from tests.backend.examples import examples
from tests.backend.gateway.fakes import (
    REQUEST,
    NamedProvider,
    call,
    create_gateway,
    cut,
    overloaded,
)
from tests.backend.gateway.test_budgeting import NOON, done, price
from tests.harness.database import TemporaryDatabase

from cartrita.adapters.persistence.budgets import BudgetTable
from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.ledger import LedgerTable
from cartrita.domain.budgets import (
    Budget,
    BudgetPeriod,
    BudgetState,
    BudgetSubject,
    BudgetUnit,
    SubjectKind,
)
from cartrita.domain.deltas import TextDelta
from cartrita.domain.errors import BudgetExhausted, UpstreamError
from cartrita.domain.requests import Sampling
from cartrita.domain.token_classes import Costs
from cartrita.domain.usage import Usage
from cartrita.gateway.budgeting import Budgeting
from cartrita.gateway.gateway import Gateway
from cartrita.gateway.metering import Meter
from cartrita.gateway.pricing import Pricing, total_of
from cartrita.gateway.routes import Route, Target

_PRICES = [price("m", "0.0001"), replace(price("dear", "0.0003"), provider="q")]
_HI = TextDelta("Hi")
_ROUTES = {"r": Route(targets=(Target("p/m"), Target("q/dear")), continue_with="any")}
_numbers = count()
_TRIES = 10

PlannedCall: TypeAlias = tuple[str, int]
"""How a call ends, and how much output it asks for and gets."""
Event: TypeAlias = tuple[str, int, list[PlannedCall]]
"""What happens to the process of this number; `calls` are made at once."""

_ENDS = ["completed", "failed over", "continued", "failed", "left", "running"]
_CALLS = st.lists(st.tuples(st.sampled_from(_ENDS), st.integers(1, 1500)), min_size=1, max_size=6)
_EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("calls"), st.integers(0, 1), _CALLS),
        st.tuples(
            st.sampled_from(["flush", "trim", "kill", "stop"]),
            st.integers(0, 1),
            st.just(list[PlannedCall]()),
        ),
    ),
    max_size=8,
)


class Process:
    """A worker, with what it has leased, and what it has yet to settle."""

    def __init__(self, pool: Database, owner: str) -> None:
        self.paid = Decimal(0)
        self._owner = owner
        self._ledger = LedgerTable(pool)
        self._pricing = Pricing(_PRICES)
        self._budgeting = Budgeting(BudgetTable(pool), self._pricing.price, now=lambda: NOON)
        self._meter = Meter(self._ledger, self._costs, budgets=self._budgeting)
        self._running: list[asyncio.Task[None]] = []

    def _costs(self, provider: str, model: str, usage: Usage, tenant: str) -> Costs | None:
        costs = self._pricing.costs(provider, model, usage, tenant)
        self.paid += total_of(costs) or 0
        return costs

    async def start(self) -> None:
        await self._budgeting.refresh()
        self._loop = asyncio.create_task(self._budgeting.run())
        for _ in range(3):  # until it owns tasks
            await asyncio.sleep(0)

    async def make(self, calls: list[PlannedCall]) -> None:
        """Make these calls at once; those that go on running are left to it."""
        tasks = [asyncio.create_task(self._ask(*one)) for one in calls]
        await asyncio.wait(tasks, timeout=0.02)
        self._running += [one for one in tasks if not one.done()]

    async def _ask(self, end: str, output: int) -> None:
        request = replace(REQUEST, sampling=Sampling(max_tokens=output))
        asked = call("r", request, owner_id=self._owner)
        with suppress(BudgetExhausted, UpstreamError):
            async with self._gateway(end, output).open(asked) as answer:
                async for _ in answer.items:
                    if end == "left":
                        return

    def _gateway(self, end: str, output: int) -> Gateway:
        ends = {
            "failed over": overloaded(),
            "failed": overloaded(),
            "continued": cut(),
            "running": asyncio.Event(),
            "left": asyncio.Event(),
        }
        last = ends.get(end, done(output))
        first = [last] if end.startswith("failed") else [_HI, last]
        second = [overloaded()] if end == "failed" else [_HI, done(output)]
        providers = [NamedProvider("p", first), NamedProvider("q", second, models=("dear",))]
        return create_gateway(*providers, meter=self._meter, routes=_ROUTES)

    async def stop(self) -> None:
        """End as a worker that was told to: what runs is cancelled, all is settled."""
        await self._cancel_calls()
        await self.flush()
        self._loop.cancel()
        await asyncio.wait([self._loop])

    async def kill(self) -> None:
        """What it had leased and not settled is known to nobody any more."""
        self._budgeting._leased.clear()
        self._loop.cancel()
        await asyncio.wait([self._loop])
        await self._cancel_calls()

    async def _cancel_calls(self) -> None:
        for one in self._running:
            one.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        self._running.clear()

    async def flush(self) -> None:
        """Write what is pending, also where a connection breaks on a busy machine."""
        for _ in range(_TRIES):
            await self._ledger.flush()
            if not self._ledger._pending:
                return
        raise AssertionError("The ledger was not written.")

    async def trim(self) -> None:
        await self._budgeting._trim()


async def play(dsn: str, events: list[Event], amount: Decimal) -> tuple[BudgetState, Decimal]:
    """What the database and the providers know of a budget in the end."""
    pool = Database(dsn, pool_size=4)
    owner = f"owner {next(_numbers)}"
    subject = BudgetSubject(SubjectKind.USER, owner)
    table = BudgetTable(pool)
    budget = Budget(subject, BudgetPeriod.DAY, BudgetUnit.MONEY, amount)
    await table.replace(subject, [budget], change())
    processes: list[Process] = []

    async def started() -> Process:
        processes.append(Process(pool, owner))
        await processes[-1].start()
        return processes[-1]

    workers = [await started(), await started()]
    for what, number, calls in events:
        worker = workers[number]
        if what == "calls":
            await worker.make(calls)
            continue
        await getattr(worker, what)()
        if what in ("kill", "stop"):
            workers[number] = await started()
    for worker in workers:
        await worker.stop()
    [state] = await table.states([subject], NOON)
    await pool.close()
    return state, sum((one.paid for one in processes), Decimal(0))


def test_no_budget_is_passed_and_nothing_is_lost_but_by_a_kill(database: TemporaryDatabase) -> None:
    @settings(examples, max_examples=25, phases=[Phase.explicit, Phase.generate])
    @given(_EVENTS, st.decimals("0.01", "1", places=3))
    def holds(events: list[Event], amount: Decimal) -> None:
        state, paid = asyncio.run(play(database.dsn, events, amount))
        assert not state.overrun
        assert paid <= state.settled + state.leased <= amount
        if all(what != "kill" for what, _, _ in events):
            assert (state.settled, state.leased) == (paid, 0)

    holds()

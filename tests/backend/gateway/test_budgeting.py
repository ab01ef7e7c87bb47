"""Calls reserve what they may use of each budget, use it or give it back, and are refused else."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace
from tests.backend.gateway.fakes import (
    REQUEST,
    FakeResponse,
    Ledger,
    NamedProvider,
    RelayingProvider,
    answer_to,
    call,
    create_gateway,
    overloaded,
    relayed_call,
    text_of,
)

from cartrita.domain.budgets import (
    AllBudgets,
    Budget,
    BudgetPeriod,
    BudgetSpending,
    BudgetSubject,
    BudgetUnit,
    Settlement,
    SubjectKind,
)
from cartrita.domain.deltas import Finished, FinishReason, TextDelta
from cartrita.domain.errors import (
    BudgetExhausted,
    Forbidden,
    InvalidInput,
    Unavailable,
    UpstreamOverloaded,
)
from cartrita.domain.ledger import CallOutcome
from cartrita.domain.limits import Limit
from cartrita.domain.ports.providers import ModelProvider
from cartrita.domain.relays import RelayRequest
from cartrita.domain.requests import ModelRequest, Sampling
from cartrita.domain.usage import Usage
from cartrita.gateway.budgeting import Budgeting
from cartrita.gateway.limiting import Limiter
from cartrita.gateway.metering import Meter
from cartrita.gateway.pricing import Price, Pricing
from cartrita.gateway.reservations import BudgetPolicy
from cartrita.gateway.routes import Route, Target

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
KEY, USER, TENANT = (BudgetSubject(kind, f"a {kind}") for kind in SubjectKind)
CALLER: dict[str, Any] = {"key_id": KEY.id, "owner_id": USER.id, "tenant_id": TENANT.id}
LIMITED = replace(REQUEST, sampling=Sampling(max_tokens=100))
INPUT = 6
"""The bound of the request's input tokens: two bytes, one before them, three for the message."""


def tokens(amount: int, subject: BudgetSubject = USER) -> Budget:
    return Budget(subject, BudgetPeriod.DAY, BudgetUnit.TOKENS, Decimal(amount))


def money(amount: str, subject: BudgetSubject = USER) -> Budget:
    return Budget(subject, BudgetPeriod.MONTH, BudgetUnit.MONEY, Decimal(amount))


def price(model: str, rate: str) -> Price:
    """The same for every token."""
    each = Decimal(rate) * 1_000_000
    return Price(
        provider="p", model=model, checked=NOON.date(), source="-", input=each, output=each
    )


def done(output: int, given: int = 1) -> Finished:
    return Finished(FinishReason.STOP, Usage(given, output), "m")


class Leases:
    """Leases from budgets in memory, as much as is wanted and left."""

    def __init__(self, *budgets: Budget) -> None:
        self.budgets = list(budgets)
        self.leased: dict[BudgetSpending, Decimal] = {}
        self.asked = 0
        self.may = asyncio.Event()
        self.may.set()
        self.called = asyncio.Event()
        self.give = asyncio.Event()
        self.give.set()
        self.failure: Exception | None = None

    async def all(self) -> AllBudgets:
        by_subject: dict[BudgetSubject, tuple[Budget, ...]] = {}
        for one in self.budgets:
            by_subject[one.subject] = (*by_subject.get(one.subject, ()), one)
        return AllBudgets(by_subject)

    async def lease(self, spending: BudgetSpending, least: Decimal, wanted: Decimal) -> Decimal:
        self.asked += 1
        self.called.set()
        await self.may.wait()
        if self.failure is not None:
            raise self.failure
        amount = next(
            (
                one.amount
                for one in self.budgets
                if (one.subject, one.period, one.unit)
                == (spending.subject, spending.period, spending.unit)
            ),
            Decimal(0),
        )
        leased = self.leased.get(spending, Decimal(0))
        left = amount - leased
        granted = Decimal(0) if left < least else min(wanted, left)
        self.leased[spending] = leased + granted
        return granted

    async def give_back(self, spending: BudgetSpending, amount: Decimal) -> None:
        if self.failure is not None:
            raise self.failure
        await self.give.wait()
        self.leased[spending] -= amount

    def settle(self, settlements: Sequence[Settlement]) -> Decimal:
        """As the database does with the entries of the ledger; all that was spent."""
        for one in settlements:
            self.leased[one.spending] -= one.spent
        return sum((one.spent + one.overrun for one in settlements), Decimal(0))


class Budgeted:
    """A gateway for a caller with budgets, and all that is leased for it."""

    def __init__(
        self,
        *providers: ModelProvider,
        budgets: Sequence[Budget],
        prices: Sequence[Price] = (),
        policy: BudgetPolicy | None = None,
        **values: Any,
    ) -> None:
        self.moment = NOON
        self.seconds = 0.0
        self.leases = Leases(*budgets)
        self.ledger = Ledger()
        pricing = Pricing(prices)
        self.budgeting = Budgeting(
            self.leases,
            pricing.price,
            policy or BudgetPolicy(output_tokens=64),
            now=lambda: self.moment,
            monotonic=lambda: self.seconds,
        )
        meter = Meter(self.ledger, pricing.costs, budgets=self.budgeting)
        self.gateway = create_gateway(*providers, meter=meter, **values)

    async def ask(self, request: ModelRequest = LIMITED, name: str = "p/m", **values: Any) -> str:
        await self.budgeting.refresh()
        return text_of(
            (await answer_to(self.gateway, call(name, request, **{**CALLER, **values})))[1]
        )

    async def leftover(self) -> dict[BudgetUnit, Decimal]:
        """What stays leased once all is settled and given back: nothing, or something is lost."""
        self.leases.settle(self.ledger.settlements)
        self.seconds += 10
        await self.budgeting._trim()
        return {key.unit: left for key, left in self.leases.leased.items() if left}


async def test_without_a_budget_nothing_is_leased() -> None:
    of_others = [tokens(1, BudgetSubject(SubjectKind.USER, "someone else"))]
    for budgets in ([], of_others):
        asked = Budgeted(NamedProvider("p"), budgets=budgets)
        assert await asked.ask() == "p"
        assert not asked.leases.asked
        assert not asked.ledger.settlements


async def test_a_call_counts_against_all_budgets_of_its_key_user_and_tenant() -> None:
    budgets = [tokens(1000, KEY), money("1", USER), tokens(2000, TENANT), money("2", TENANT)]
    provider = NamedProvider("p", [TextDelta("Hi"), done(50, 5)])
    asked = Budgeted(provider, budgets=budgets, prices=[price("m", "0.001")])
    assert await asked.ask() == "Hi"
    spent = {
        (one.spending.subject, one.spending.unit): one.spent for one in asked.ledger.settlements
    }
    assert spent == {
        (KEY, BudgetUnit.TOKENS): 55,
        (USER, BudgetUnit.MONEY): Decimal("0.055"),
        (TENANT, BudgetUnit.TOKENS): 55,
        (TENANT, BudgetUnit.MONEY): Decimal("0.055"),
    }
    assert {one.spending.since for one in asked.ledger.settlements} == {
        date(2026, 11, 28),
        date(2026, 11, 1),
    }
    assert not await asked.leftover()


@pytest.mark.parametrize("budget", [tokens(100 + INPUT - 1), money("0.1049")])
async def test_a_call_that_may_use_more_than_is_left_is_refused_before_it_is_made(
    budget: Budget,
) -> None:
    provider = NamedProvider("p")
    limiter = Limiter({"p": Limit(1, 60)})
    asked = Budgeted(
        provider,
        budgets=[tokens(10_000, TENANT), budget],
        prices=[price("m", "0.001")],
        limiter=limiter,
    )
    for _ in range(2):  # the turn at the provider is not used up
        with pytest.raises(BudgetExhausted, match="What is left of the user's budget") as refused:
            await asked.ask()
        assert refused.value.retry_after == (budget.period.end(NOON) - NOON).total_seconds()
        ends = ("2026-11-29T00:00:00Z", "2026-12-01T00:00:00Z")
        assert refused.value.details["resets_at"] in ends
    assert not provider.requests
    smaller = replace(LIMITED, sampling=Sampling(max_tokens=98))
    assert await asked.ask(smaller) == "p"
    assert not await asked.leftover()


async def test_what_was_refused_is_refused_again_for_a_moment_without_asking() -> None:
    asked = Budgeted(NamedProvider("p"), budgets=[tokens(50)])
    for _ in range(5):
        with pytest.raises(BudgetExhausted):
            await asked.ask()
    assert asked.leases.asked == 1
    asked.seconds += 1
    with pytest.raises(BudgetExhausted):
        await asked.ask()
    assert asked.leases.asked == 2


async def test_what_is_not_used_is_there_for_the_next_call_without_asking() -> None:
    provider = NamedProvider("p", [TextDelta("Hi"), done(1)])
    asked = Budgeted(provider, budgets=[tokens(10_000)])
    for _ in range(20):
        await asked.ask()
    assert sum(one.spent for one in asked.ledger.settlements) == 40
    assert asked.leases.asked == 1
    assert not await asked.leftover()


async def test_a_provider_that_uses_more_than_it_was_asked_for_is_told_of() -> None:
    provider = NamedProvider("p", [TextDelta("Hi"), done(500)])
    asked = Budgeted(provider, budgets=[tokens(300)])
    await asked.ask()
    [settled] = asked.ledger.settlements
    assert settled.spent == min(100 + INPUT + 6, 501)  # the call's, and the block beside it
    assert settled.spent + settled.overrun == 501


@pytest.mark.parametrize("relays", [True, False])
async def test_an_attempt_that_failed_leaves_its_output_to_the_next(relays: bool) -> None:
    if relays:
        failing: Any = RelayingProvider("p", [overloaded()])
    else:
        failing = NamedProvider("p", [overloaded()])
    answering = NamedProvider("q", [TextDelta("Hi"), done(20)])
    routes = {"r": Route(targets=(Target("p/m"), Target("q/m")))}
    asked = Budgeted(failing, answering, budgets=[tokens(120)], routes=routes)
    await asked.budgeting.refresh()
    made = (relayed_call if relays else call)("r", LIMITED, **CALLER)
    assert text_of((await answer_to(asked.gateway, made))[1]) == "Hi"
    failed, answered = (one.spent for one in asked.ledger.settlements)
    assert (failed <= INPUT, answered) == (True, 21)
    assert not await asked.leftover()


async def test_a_call_that_fails_or_is_refused_by_its_dialect_holds_nothing() -> None:
    for error in (overloaded(), InvalidInput.of("x", "it is wrong")):
        asked = Budgeted(NamedProvider("p", [error]), budgets=[tokens(1000)])
        with pytest.raises((UpstreamOverloaded, InvalidInput)):
            await asked.ask()
        assert not await asked.leftover()


async def test_an_answer_that_its_caller_does_not_take_is_settled() -> None:
    provider = NamedProvider("p", [TextDelta("Hi"), asyncio.Event()])
    asked = Budgeted(provider, budgets=[tokens(1000)])
    await asked.budgeting.refresh()
    answer = asked.gateway.open(call("p/m", LIMITED, **CALLER))
    await anext((await answer.__aenter__()).items)
    refused = InvalidInput.of("x", "it is wrong")
    await answer.__aexit__(type(refused), refused, None)
    [settled] = asked.ledger.settlements
    assert settled.spent
    assert not await asked.leftover()


async def test_a_whole_answer_that_nobody_waits_for_counts_as_all_it_may_be() -> None:
    class Thinking(RelayingProvider):
        @asynccontextmanager
        async def relay(self, request: RelayRequest) -> AsyncGenerator[FakeResponse]:
            self.relayed.append(request)
            called.set()
            await asyncio.Event().wait()
            yield FakeResponse([])

    called = asyncio.Event()
    asked = Budgeted(Thinking("p", [b"{}"]), budgets=[tokens(1000)])
    await asked.budgeting.refresh()
    made = relayed_call("p/m", LIMITED, streamed=False, **CALLER)
    waiting = asyncio.get_running_loop().create_task(answer_to(asked.gateway, made))
    await called.wait()
    waiting.cancel()
    await asyncio.wait([waiting])
    [settled] = asked.ledger.settlements
    assert (settled.spent, settled.overrun) == (100 + INPUT, 0)
    assert not await asked.leftover()


async def test_whoever_reads_budgets_again_does_not_wait_for_what_is_given_back() -> None:
    asked = Budgeted(NamedProvider("p"), budgets=[tokens(1000)])
    await asked.ask()
    asked.leases.settle(asked.ledger.settlements)
    asked.leases.budgets = []
    asked.leases.give.clear()
    asked.seconds += 10
    async with asyncio.timeout(30):
        await asked.budgeting.refresh()
    asked.leases.give.set()
    await asked.budgeting._trim()
    assert not any(asked.leases.leased.values())


async def test_a_cancelled_call_settles_what_it_has_used() -> None:
    provider = NamedProvider("p", [TextDelta("Hi"), asyncio.Event()])
    asked = Budgeted(provider, budgets=[tokens(1000)])
    await asked.budgeting.refresh()
    async with asked.gateway.open(call("p/m", LIMITED, **CALLER)) as answer:
        await anext(answer.items)
    [settled] = asked.ledger.settlements
    assert 0 < settled.spent < 20
    assert not await asked.leftover()


async def test_one_who_goes_away_while_it_is_leased_leaves_it_to_others() -> None:
    asked = Budgeted(NamedProvider("p"), budgets=[tokens(300), tokens(1000, TENANT)])
    running = asyncio.get_running_loop().create_task(asked.budgeting.run())
    asked.leases.may.clear()
    waiting = [asyncio.get_running_loop().create_task(asked.ask()) for _ in range(2)]
    await asked.leases.called.wait()
    waiting[0].cancel()
    await asyncio.wait(waiting[:1])
    asked.leases.may.set()
    assert await waiting[1] == "p"
    asked.leases.settle(asked.ledger.settlements)
    running.cancel()
    await asyncio.wait([running])
    assert not any(asked.leases.leased.values())


class TestGrowing:
    """Answers whose length nobody limits are covered as far as they go."""

    WORDS = "word " * 40

    def provider(self, relays: bool, pieces: int, times: int = 1) -> ModelProvider:
        """One that says so many pieces, of so many times the words each."""
        used, words = done(50 * pieces * times), self.WORDS * times
        if relays:
            script = [f"{words}\n".encode() for _ in range(pieces)]
            return RelayingProvider("p", [*script, b".\n"])
        return NamedProvider("p", [*[TextDelta(words) for _ in range(pieces)], used])

    async def ask(self, asked: Budgeted, relays: bool) -> list[Any]:
        await asked.budgeting.refresh()
        made = (relayed_call if relays else call)("p/m", **CALLER)
        async with asked.gateway.open(made) as answer:
            return [item async for item in answer.items]

    @pytest.mark.parametrize("relays", [True, False])
    async def test_more_is_reserved_while_they_come(self, relays: bool) -> None:
        asked = Budgeted(self.provider(relays, 40), budgets=[tokens(4000)])
        assert text_of(await self.ask(asked, relays)).count("word") == 40 * 40
        assert asked.leases.asked > 5
        [settled] = asked.ledger.settlements
        assert settled.spent > 1900
        assert not settled.overrun
        assert not await asked.leftover()

    @pytest.mark.parametrize("relays", [True, False])
    async def test_all_that_comes_at_once_is_covered(self, relays: bool) -> None:
        asked = Budgeted(self.provider(relays, 2, times=20), budgets=[tokens(1000)])
        with pytest.raises(BudgetExhausted):
            await self.ask(asked, relays)
        assert not await asked.leftover()

    @pytest.mark.parametrize("relays", [True, False])
    async def test_one_that_outruns_the_budget_is_ended(self, relays: bool) -> None:
        asked = Budgeted(self.provider(relays, 40), budgets=[tokens(600)])
        with pytest.raises(BudgetExhausted) as ended:
            await self.ask(asked, relays)
        assert ended.value.retryable
        [entry] = asked.ledger.entries
        assert entry.outcome is CallOutcome.CUT
        assert entry.usage.estimated
        [settled] = asked.ledger.settlements
        assert 300 < settled.spent <= 600
        assert not settled.overrun
        assert not await asked.leftover()

    async def test_a_whole_relayed_answer_is_covered_to_the_end_of_what_its_model_writes(
        self,
    ) -> None:
        asked = Budgeted(RelayingProvider("p", [b"{}"]), budgets=[tokens(9000)])
        await asked.budgeting.refresh()
        made = relayed_call("p/gpt-4o", streamed=False, **CALLER)
        with pytest.raises(BudgetExhausted, match="16,390 tokens that this may use"):
            await answer_to(asked.gateway, made)


class TestUnpriced:
    """Models whose price is not known are not called on a budget in money."""

    async def test_they_are_refused(self) -> None:
        asked = Budgeted(NamedProvider("p"), budgets=[tokens(1000), money("1")])
        with pytest.raises(Forbidden, match="The price of p/m is not known") as refused:
            await asked.ask()
        assert refused.value.code == "price_unknown"
        assert not asked.leases.asked

    async def test_of_a_route_the_others_are_called(self) -> None:
        providers = [NamedProvider("p"), NamedProvider("q", [TextDelta("q"), done(1)])]
        routes = {"r": Route(targets=(Target("q/x"), Target("p/m")))}
        asked = Budgeted(
            *providers, budgets=[money("1")], prices=[price("m", "0.001")], routes=routes
        )
        assert await asked.ask(name="r") == "p"

    @pytest.mark.parametrize(
        "policy", [BudgetPolicy(unpriced=True), BudgetPolicy(free=frozenset({"p"}))]
    )
    async def test_where_it_is_allowed_they_cost_nothing(self, policy: BudgetPolicy) -> None:
        asked = Budgeted(NamedProvider("p"), budgets=[money("1")], policy=policy)
        assert await asked.ask() == "p"
        assert [one.spent for one in asked.ledger.settlements] == [0]

    async def test_nor_under_a_cap_that_is_kept_by_others_alone(self) -> None:
        asked = Budgeted(NamedProvider("p"), budgets=[tokens(1000)])
        with pytest.raises(Forbidden, match=r"agents\.unpriced") as refused:
            await asked.ask(priced_only=True)
        assert refused.value.code == "price_unknown"
        free = Budgeted(NamedProvider("p"), budgets=[], policy=BudgetPolicy(free=frozenset({"p"})))
        assert await free.ask(priced_only=True) == "p"


async def test_a_tool_without_a_price_leaves_the_tokens_counted() -> None:
    drew = Finished(FinishReason.STOP, Usage(1, 2, images=1), "m")
    provider = NamedProvider("p", [TextDelta("Hi"), drew])
    asked = Budgeted(provider, budgets=[money("1")], prices=[price("m", "0.001")])
    await asked.ask()
    [entry] = asked.ledger.entries
    assert entry.cost is None
    assert [one.spent for one in asked.ledger.settlements] == [Decimal("0.003")]
    assert await asked.leftover() == {}


async def test_a_tenants_budget_counts_with_its_own_price() -> None:
    own = replace(price("m", "0.002"), tenant=TENANT.id)
    provider = NamedProvider("p", [TextDelta("Hi"), done(2)])
    prices = [price("m", "0.001"), own]
    asked = Budgeted(provider, budgets=[money("1", TENANT)], prices=prices)
    await asked.ask()
    [entry] = asked.ledger.entries
    assert entry.cost == Decimal("0.006")
    assert [one.spent for one in asked.ledger.settlements] == [Decimal("0.006")]
    only = Budgeted(NamedProvider("p"), budgets=[money("1")], prices=[own])
    with pytest.raises(Forbidden, match="not known"):
        await only.ask(tenant_id="other")


async def test_a_budget_that_is_raised_counts_at_once_and_its_old_leases_go_back() -> None:
    asked = Budgeted(NamedProvider("p"), budgets=[tokens(50)])
    with pytest.raises(BudgetExhausted):
        await asked.ask()
    asked.leases.budgets = [tokens(500)]
    assert await asked.ask() == "p"
    asked.leases.budgets = []
    assert await asked.ask() == "p"
    assert len(asked.ledger.settlements) == 1
    assert not await asked.leftover()


async def test_at_midnight_a_day_begins_anew() -> None:
    asked = Budgeted(NamedProvider("p", [TextDelta("Hi"), done(99)]), budgets=[tokens(150)])
    await asked.ask()
    asked.seconds += 1
    with pytest.raises(BudgetExhausted):
        await asked.ask()
    asked.moment += timedelta(hours=12)
    await asked.ask()
    assert not await asked.leftover()
    assert len(asked.budgeting._leased) == 1


async def test_those_who_wait_for_a_lease_that_fails_fail_together() -> None:
    asked = Budgeted(NamedProvider("p"), budgets=[tokens(10_000)])
    await asked.budgeting.refresh()
    asked.leases.failure = Unavailable("The database is away.")
    made = [answer_to(asked.gateway, call("p/m", LIMITED, **CALLER)) for _ in range(20)]
    outcomes = await asyncio.gather(*made, return_exceptions=True)
    assert all(isinstance(one, Unavailable) for one in outcomes)
    assert asked.leases.asked == 1
    asked.leases.failure = None
    asked.seconds += 1
    assert await asked.ask() == "p"


async def test_while_the_database_is_away_calls_use_what_is_leased() -> None:
    asked = Budgeted(NamedProvider("p", [TextDelta("Hi"), done(1)]), budgets=[tokens(1000)])
    await asked.ask()
    asked.leases.failure = Unavailable("The database is away.")
    assert await asked.ask() == "Hi"
    with pytest.raises(Unavailable):
        await asked.ask(replace(REQUEST, sampling=Sampling(max_tokens=500)))
    asked.seconds += 10
    await asked.budgeting._trim()  # nobody knows whether it was given back
    asked.leases.failure = None
    assert (await asked.leftover())[BudgetUnit.TOKENS] > 0
    assert await asked.ask() == "Hi"

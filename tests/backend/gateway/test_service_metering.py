"""Requests of services are in the ledger with their price, and budgets in money pay for them."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, nullcontext
from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest
from tests.backend.fake_services import OWN, FakeService, Paying
from tests.backend.gateway.fakes import Ledger, Time
from tests.backend.gateway.test_budgeting import KEY, TENANT, USER, Leases, money, tokens
from tests.backend.gateway.test_service_calls import failure

from cartrita.domain.budgets import Budget
from cartrita.domain.errors import (
    BudgetExhausted,
    RateLimited,
    UpstreamAuth,
    UpstreamCut,
    UpstreamError,
    UpstreamOverloaded,
)
from cartrita.domain.ids import ConversationId, RunId
from cartrita.domain.ledger import CallOutcome, ServiceUse, ToolSpending
from cartrita.domain.limits import Limit
from cartrita.domain.principals import Principal
from cartrita.domain.run_parts import RunPart
from cartrita.domain.usage import Usage
from cartrita.gateway.budgeting import Budgeting
from cartrita.gateway.limiting import Limiter
from cartrita.gateway.paid_providers import CredentialUses
from cartrita.gateway.pricing import RequestPrice, RequestPricing, list_prices
from cartrita.gateway.service_calls import ServiceCalls
from cartrita.gateway.service_metering import ServiceMeter

CALLER = Principal(owner_id=USER.id, key_id=KEY.id, tenant_id=TENANT.id)
PART = RunPart(RunId(UUID(int=7)), ConversationId(UUID(int=8)), "researcher", "task_1_1")
PRICE = Decimal("0.008")


class Metered:
    """Calls of services that are metered, for a caller with budgets."""

    def __init__(
        self, *budgets: Budget, requests: int = 100, price: RequestPrice | None = None
    ) -> None:
        self.time = Time()
        self.ledger = Ledger()
        self.leases = Leases(*budgets)
        self.budgeting = Budgeting(self.leases, lambda provider, model, tenant: None)
        self.paying = Paying()
        prices = RequestPricing([*list_prices().requests, *([price] if price else [])])
        self.calls = ServiceCalls(
            Limiter({"tavily": Limit(requests, 60.0)}, clock=self.time.clock),
            self.paying,
            CredentialUses(),
            meter=ServiceMeter(self.ledger, prices.price, self.budgeting, self.time.clock),
            sleep=self.time.sleep,
        )

    async def ask(self, service: FakeService, spending: ToolSpending | None = None) -> str:
        await self.budgeting.refresh()
        return await self.calls.ask(CALLER, service, FakeService.call, spending)

    @property
    def entries(self) -> list[tuple[str, Decimal | None, CallOutcome]]:
        return [(one.surface, one.cost, one.outcome) for one in self.ledger.entries]

    async def leftover(self) -> Decimal:
        """What stays leased once all is settled and given back."""
        self.leases.settle(self.ledger.settlements)
        await self.budgeting._trim(everything=True)
        return sum(self.leases.leased.values(), Decimal(0))


async def test_a_search_is_in_the_ledger_with_its_price() -> None:
    metered = Metered()
    await metered.ask(FakeService("tavily", "key"))
    [entry] = metered.ledger.entries
    assert (entry.provider, entry.model, entry.cost) == ("tavily", "search", PRICE)
    assert (entry.owner_id, entry.key_id, entry.run_id) == (USER.id, KEY.id, None)
    assert entry.usage == Usage()
    told: list[Decimal] = []
    await metered.ask(FakeService("tavily", "key"), ToolSpending(PART, told.append))
    entry = metered.ledger.entries[1]
    assert (entry.run_id, entry.conversation_id) == (PART.run_id, PART.conversation_id)
    assert entry.agent == "researcher"
    assert metered.entries[1] == ("tools", PRICE, CallOutcome.COMPLETED)
    await metered.ask(FakeService("tavily"), ToolSpending(PART, told.append))
    assert told == [PRICE], "the caps of the run count it, and what is free is not told"


async def test_what_is_asked_without_a_key_costs_nothing() -> None:
    metered = Metered(money("0.001"))
    await metered.ask(FakeService("tavily"))
    await metered.ask(FakeService("searxng"))
    assert metered.entries == [("native", Decimal(0), CallOutcome.COMPLETED)] * 2
    metered.paying.of_owners = {USER.id: {"tavily": OWN}}
    with pytest.raises(BudgetExhausted):
        await metered.ask(FakeService("tavily"))


async def test_a_service_without_a_price_has_an_unknown_cost() -> None:
    metered = Metered(money("0.001"))
    await metered.ask(FakeService("another", "key"))
    assert metered.entries == [("native", None, CallOutcome.COMPLETED)]


async def test_searches_count_against_budgets_in_money_alone() -> None:
    metered = Metered(money("0.02", KEY), money("1", TENANT), tokens(1))
    service = FakeService("tavily", "key")
    await metered.ask(service)
    await metered.ask(service)
    with pytest.raises(BudgetExhausted, match=r"less than the \$0\.008"):
        await metered.ask(service)
    assert len(service.asked) == 2
    spent = {one.spending.subject for one in metered.ledger.settlements}
    assert spent == {KEY, TENANT}
    assert sum(one.spent for one in metered.ledger.settlements) == 4 * PRICE
    assert await metered.leftover() == 0


@pytest.mark.parametrize(
    ("failed", "outcome", "cost"),
    [
        (failure(UpstreamAuth), CallOutcome.FAILED, Decimal(0)),
        (failure(UpstreamCut, retryable=False), CallOutcome.CUT, PRICE),
    ],
)
async def test_only_what_may_have_been_answered_costs_something(
    failed: UpstreamError, outcome: CallOutcome, cost: Decimal
) -> None:
    metered, service = Metered(money("1")), FakeService("tavily", "key")
    service.failures = [failed]
    with pytest.raises(type(failed)):
        await metered.ask(service)
    assert metered.entries == [("native", cost, outcome)]
    assert await metered.leftover() == 0


async def test_each_attempt_is_an_entry() -> None:
    metered, service = Metered(money("1")), FakeService("tavily", "key")
    service.failures = [failure(UpstreamOverloaded)]
    await metered.ask(service)
    assert [cost for _, cost, _ in metered.entries] == [Decimal(0), PRICE]
    assert await metered.leftover() == 0


SPOKEN = RequestPrice(
    provider="deepgram",
    operation="speech",
    checked=date(2026, 11, 29),
    source="a test",
    request=Decimal("0.001"),
    second=Decimal("0.01"),
    character=Decimal("0.1"),
)


async def test_what_a_service_did_is_in_the_ledger_and_paid() -> None:
    metered, service = Metered(money("100"), price=SPOKEN), FakeService("deepgram", "key")
    await metered.budgeting.refresh()
    asked = await metered.calls.ask(
        CALLER,
        service,
        FakeService.call,
        operation="speech",
        expected=ServiceUse(1.0, 20),
        note=lambda request, _: request.use(ServiceUse(2.5, 3)),
    )
    assert asked == "key"
    [entry] = metered.ledger.entries
    assert (entry.model, entry.audio_seconds, entry.characters) == ("speech", 2.5, 3)
    assert entry.cost == Decimal("0.326")
    assert await metered.leftover() == 0


async def test_what_is_expected_is_reserved() -> None:
    metered, service = Metered(money("1"), price=SPOKEN), FakeService("deepgram", "key")
    await metered.budgeting.refresh()
    for expected, fits in ((ServiceUse(characters=9), True), (ServiceUse(characters=10), False)):
        asking = metered.calls.ask(
            CALLER, service, FakeService.call, operation="speech", expected=expected
        )
        if fits:
            await asking
        else:
            with pytest.raises(BudgetExhausted):
                await asking
    assert len(service.asked) == 1


@pytest.mark.parametrize(
    ("failed", "outcome", "cost"),
    [
        (None, CallOutcome.COMPLETED, "0.501"),
        (failure(UpstreamCut), CallOutcome.CUT, "0.501"),
        (failure(UpstreamOverloaded), CallOutcome.FAILED, "0.5"),
    ],
)
async def test_what_is_open_tells_what_it_uses_as_it_goes_on(
    failed: UpstreamError | None, outcome: CallOutcome, cost: str
) -> None:
    metered, service = Metered(money("100"), price=SPOKEN), FakeService("deepgram", "key")
    await metered.budgeting.refresh()
    opened = list[str]()

    @asynccontextmanager
    async def open_(one: FakeService) -> AsyncGenerator[str]:
        opened.append(await one.call())
        yield "open"

    with pytest.raises(type(failed)) if failed else nullcontext():
        async with metered.calls.open(CALLER, service, open_, operation="speech") as (it, request):
            assert it == "open"
            request.use(ServiceUse(20.0))
            request.use(ServiceUse(30.0))
            if failed:
                raise failed
    assert opened == ["key"], "what fails once it is open is not opened again"
    [entry] = metered.ledger.entries
    assert (entry.audio_seconds, entry.outcome, entry.cost) == (50.0, outcome, Decimal(cost))
    assert await metered.leftover() == 0


@asynccontextmanager
async def opened(service: FakeService) -> AsyncGenerator[str]:
    yield await service.call()


async def test_what_is_open_for_long_is_paid_for_in_stretches() -> None:
    """The next one is reserved while the last is used, whose entry comes when it is used up."""
    metered, service = Metered(money("1.05"), price=SPOKEN), FakeService("deepgram", "key")
    await metered.budgeting.refresh()
    opening = metered.calls.open(
        CALLER, service, opened, operation="speech", stretch=ServiceUse(50.0)
    )

    async def listen() -> None:
        async with opening as (_, request):
            for _ in range(5):
                await request.cover(ServiceUse(10.0))
            assert metered.entries == []
            for _ in range(5):
                await request.cover(ServiceUse(10.0))
            assert [one.audio_seconds for one in metered.ledger.entries] == [50.0]
            await request.cover(ServiceUse(10.0))

    with pytest.raises(BudgetExhausted):
        await listen()
    assert [one.audio_seconds for one in metered.ledger.entries] == [50.0, 50.0]
    assert metered.entries == [
        ("native", Decimal("0.501"), CallOutcome.COMPLETED),
        ("native", Decimal("0.5"), CallOutcome.COMPLETED),
    ], "that a budget ends is no failure of the provider"
    assert await metered.leftover() == 0


async def test_the_price_of_a_request_is_paid_once_for_all_of_its_stretches() -> None:
    metered, service = Metered(money("100"), price=SPOKEN), FakeService("deepgram", "key")
    await metered.budgeting.refresh()
    opening = metered.calls.open(
        CALLER, service, opened, operation="speech", stretch=ServiceUse(50.0)
    )
    async with opening as (_, request):
        for _ in range(6):
            metered.time.now += 10.0
            await request.cover(ServiceUse(10.0))
    assert metered.entries == [
        ("native", Decimal("0.501"), CallOutcome.COMPLETED),
        ("native", Decimal("0.1"), CallOutcome.COMPLETED),
    ]
    lasted = [one.seconds for one in metered.ledger.entries]
    assert lasted == [60.0, 0.0], "each is told with its own time"
    assert await metered.leftover() == 0


async def test_whoever_leaves_a_later_stretch_pays_what_was_used_of_it() -> None:
    metered, service = Metered(money("100"), price=SPOKEN), FakeService("deepgram", "key")
    await metered.budgeting.refresh()
    opening = metered.calls.open(
        CALLER,
        service,
        opened,
        operation="speech",
        expected=ServiceUse(90.0),
        stretch=ServiceUse(5.0),
    )

    async def listen() -> None:
        async with opening as (_, request):
            await request.cover(ServiceUse(20.0))
            await request.cover(ServiceUse(0.0))
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await listen()
    assert metered.entries == [
        ("native", Decimal("0.201"), CallOutcome.COMPLETED),
        ("native", Decimal(0), CallOutcome.CANCELLED),
    ], "what was expected has come already"
    assert await metered.leftover() == 0


async def test_a_stretch_is_as_long_as_what_comes_at_once() -> None:
    metered, service = Metered(money("1"), price=SPOKEN), FakeService("deepgram", "key")
    await metered.budgeting.refresh()
    opening = metered.calls.open(
        CALLER, service, opened, operation="speech", stretch=ServiceUse(5.0)
    )
    async with opening as (_, request):
        await request.cover(ServiceUse(20.0))
        await request.cover(ServiceUse(30.0))
        with pytest.raises(BudgetExhausted):
            await request.cover(ServiceUse(90.0))
    assert [one.audio_seconds for one in metered.ledger.entries] == [20.0, 30.0]
    assert await metered.leftover() == 0


async def test_what_is_left_of_a_budget_is_used_in_smaller_stretches() -> None:
    """0.499 of them: less than a stretch from the beginning, and all of it but a rest is used."""
    metered, service = Metered(money("0.5"), price=SPOKEN), FakeService("deepgram", "key")
    await metered.budgeting.refresh()
    opening = metered.calls.open(
        CALLER, service, opened, operation="speech", stretch=ServiceUse(64.0)
    )
    covered = 0

    async def listen() -> None:
        nonlocal covered
        async with opening as (_, request):
            while True:
                await request.cover(ServiceUse(1.0))
                covered += 1

    with pytest.raises(BudgetExhausted):
        await listen()
    assert covered == 49
    assert [one.audio_seconds for one in metered.ledger.entries] == [32.0, 16.0, 1.0]
    assert sum(cost or 0 for _, cost, _ in metered.entries) == Decimal("0.491")
    assert await metered.leftover() == 0


async def test_the_last_money_pays_for_the_text_in_hand() -> None:
    """The first text is longer than what could be reserved before it was known."""
    metered, service = Metered(money("0.65"), price=SPOKEN), FakeService("deepgram", "key")
    await metered.budgeting.refresh()
    opening = metered.calls.open(
        CALLER, service, opened, operation="speech", stretch=ServiceUse(characters=8)
    )
    async with opening as (_, request):
        await request.cover(ServiceUse(characters=6))
        with pytest.raises(BudgetExhausted):
            await request.cover(ServiceUse(characters=1))
    assert metered.entries == [("native", Decimal("0.601"), CallOutcome.COMPLETED)]
    assert await metered.leftover() == 0


async def test_nothing_is_begun_where_a_budget_has_next_to_nothing_left() -> None:
    metered, service = Metered(money("0.0105"), price=SPOKEN), FakeService("deepgram", "key")
    await metered.budgeting.refresh()
    opening = metered.calls.open(
        CALLER, service, opened, operation="speech", stretch=ServiceUse(64.0)
    )
    with pytest.raises(BudgetExhausted):
        await opening.__aenter__()
    assert service.asked == []
    assert await metered.leftover() == 0


async def test_whoever_leaves_before_anything_was_used_pays_for_no_stretch() -> None:
    metered, service = Metered(money("1"), price=SPOKEN), FakeService("deepgram", "key")
    await metered.budgeting.refresh()
    opening = metered.calls.open(
        CALLER, service, opened, operation="speech", stretch=ServiceUse(5.0)
    )
    with pytest.raises(asyncio.CancelledError):
        async with opening:
            raise asyncio.CancelledError
    assert metered.entries == [("native", Decimal("0.001"), CallOutcome.CANCELLED)]
    assert await metered.leftover() == 0


async def test_what_fails_to_open_is_opened_again() -> None:
    metered, service = Metered(price=SPOKEN), FakeService("deepgram", "key")
    service.failures = [failure(UpstreamOverloaded)]

    @asynccontextmanager
    async def open_(one: FakeService) -> AsyncGenerator[str]:
        yield await one.call()

    async with metered.calls.open(CALLER, service, open_, operation="speech") as (it, _):
        assert it == "key"
    assert [one.outcome for one in metered.ledger.entries] == [
        CallOutcome.FAILED,
        CallOutcome.COMPLETED,
    ]


async def test_who_leaves_pays_for_what_may_come() -> None:
    metered, service = Metered(money("1")), FakeService("tavily", "key")
    begun = asyncio.Event()

    async def wait() -> None:
        begun.set()
        await asyncio.Event().wait()

    service.waits = wait
    async with asyncio.TaskGroup() as group:
        asking = group.create_task(metered.ask(service))
        await begun.wait()
        asking.cancel()
    assert metered.entries == [("native", PRICE, CallOutcome.CANCELLED)]
    assert await metered.leftover() == 0


async def test_who_leaves_a_transcription_pays_for_what_it_was_expected_to_be() -> None:
    metered, service = Metered(money("100"), price=SPOKEN), FakeService("deepgram", "key")
    await metered.budgeting.refresh()
    begun = asyncio.Event()

    async def wait() -> None:
        begun.set()
        await asyncio.Event().wait()

    service.waits = wait
    expected = ServiceUse(audio_seconds=60.0)
    async with asyncio.TaskGroup() as group:
        asking = group.create_task(
            metered.calls.ask(
                CALLER, service, FakeService.call, operation="speech", expected=expected
            )
        )
        await begun.wait()
        asking.cancel()
    assert metered.entries == [("native", Decimal("0.601"), CallOutcome.CANCELLED)]
    assert [one.audio_seconds for one in metered.ledger.entries] == [60.0]
    assert await metered.leftover() == 0


async def test_what_is_cut_costs_what_was_expected_and_what_fails_nothing() -> None:
    metered, service = Metered(money("100"), price=SPOKEN), FakeService("deepgram", "key")
    await metered.budgeting.refresh()
    service.failures = [failure(UpstreamOverloaded), failure(UpstreamCut, retryable=False)]
    expected = ServiceUse(characters=10)
    with pytest.raises(UpstreamCut):
        await metered.calls.ask(
            CALLER, service, FakeService.call, operation="speech", expected=expected
        )
    assert [(cost, outcome) for _, cost, outcome in metered.entries] == [
        (Decimal(0), CallOutcome.FAILED),
        (Decimal("1.001"), CallOutcome.CUT),
    ]
    assert [one.characters for one in metered.ledger.entries] == [0, 10]
    assert await metered.leftover() == 0


async def test_what_never_got_its_turn_is_no_entry() -> None:
    metered, service = Metered(money("1"), requests=1), FakeService("tavily", "key")
    metered.calls = ServiceCalls(
        metered.calls._limiter,
        metered.paying,
        CredentialUses(),
        meter=metered.calls._meter,
        seconds=0.0,
    )

    async def ask_for_ever() -> None:
        while True:
            await metered.ask(service)

    with pytest.raises(RateLimited):
        await ask_for_ever()
    assert len(metered.entries) == len(service.asked)
    assert await metered.leftover() == 0

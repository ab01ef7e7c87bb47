"""What cannot be reckoned has no price: the answer, which has been paid for, stands."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from msgspec.structs import replace
from structlog.testing import capture_logs
from tests.backend.fake_services import FakeService
from tests.backend.gateway.fakes import NamedProvider
from tests.backend.gateway.test_budgeting import Budgeted, done, money, price, tokens
from tests.backend.gateway.test_service_metering import CALLER, Metered

from cartrita.domain.budgets import BudgetUnit
from cartrita.domain.deltas import TextDelta
from cartrita.domain.ledger import CallOutcome, ServiceUse
from cartrita.domain.usage import Usage
from cartrita.gateway.pricing import Pricing, RequestPrice
from cartrita.gateway.pricing_failures import unpriced_if_it_fails

NO_PRICE: Final = replace(price("m", "1"), input=Decimal("sNaN"), output=Decimal("sNaN"))
"""Every sum with it is an error."""


@dataclass
class Tables:
    """What reckons, and may fail."""

    failure: Exception | None = None

    @unpriced_if_it_fails
    def cost(self, times: int) -> Decimal | None:
        if self.failure is not None:
            raise self.failure
        return Decimal(times)


def test_a_failure_is_told_in_full_once() -> None:
    tables = Tables()
    assert tables.cost(3) == 3
    tables.failure = ArithmeticError("no number")
    with capture_logs() as logs:
        assert tables.cost(3) is None
        assert tables.cost(4) is None
    assert [each["event"] for each in logs] == ["pricing_failed"] * 2
    assert logs[0]["exc_info"] is tables.failure
    assert "exc_info" not in logs[1]


def test_its_trace_has_no_costs() -> None:
    assert Pricing([NO_PRICE]).costs("p", "m", Usage(1, 1)) is None


async def test_an_answer_stands_without_a_price() -> None:
    provider = NamedProvider("p", [TextDelta("Hi"), done(50, 5)])
    asked = Budgeted(provider, budgets=[], prices=[NO_PRICE])
    assert await asked.ask() == "Hi"
    [entry] = asked.ledger.entries
    assert (entry.outcome, entry.cost) == (CallOutcome.COMPLETED, None)


async def test_its_tokens_still_count_against_budgets() -> None:
    provider = NamedProvider("p", [TextDelta("Hi"), done(50, 5)])
    budgets = [tokens(1000), money("1")]
    asked = Budgeted(provider, budgets=budgets, prices=[NO_PRICE])
    assert await asked.ask() == "Hi"
    spent = {one.spending.unit: one.spent for one in asked.ledger.settlements}
    assert spent[BudgetUnit.TOKENS] == 55
    assert spent.get(BudgetUnit.MONEY, Decimal(0)) == 0


async def test_a_request_of_a_service_stands_without_a_price() -> None:
    overflowing = RequestPrice(
        provider="tavily",
        operation="speech",
        checked=date(2026, 11, 29),
        source="-",
        second=Decimal("9e999999"),
    )
    metered, service = Metered(price=overflowing), FakeService("tavily", "key")
    asking = metered.calls.ask(
        CALLER,
        service,
        FakeService.call,
        operation="speech",
        note=lambda request, _: request.use(ServiceUse(20.0)),
    )
    assert await asking == "key"
    assert metered.entries == [("native", None, CallOutcome.COMPLETED)]

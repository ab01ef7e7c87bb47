"""Prices by token class, exact to the last decimal; what is not in the table is unknown."""

from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.backend.examples import examples

from cartrita.domain.token_classes import TokenClass
from cartrita.domain.usage import Usage
from cartrita.gateway.pricing import (
    Price,
    Pricing,
    Rates,
    RequestPrice,
    RequestPricing,
    list_prices,
    read_prices,
)

PRICING = Pricing(list_prices().prices)
COUNTS = st.integers(0, 10**7)


def own_price(input_: str, output: str, **values: Any) -> Price:
    given: dict[str, Any] = {
        "provider": "openai",
        "model": "gpt-4o",
        "checked": date(2026, 1, 1),
        "source": "contract",
        "input": Decimal(input_),
        "output": Decimal(output),
        **values,
    }
    return Price(**given)


def request_price(operation: str, request: str, **values: Any) -> RequestPrice:
    return RequestPrice(
        provider="openai",
        operation=operation,
        checked=date(2026, 1, 1),
        source="contract",
        request=Decimal(request),
        **values,
    )


def test_each_class_of_tokens_has_a_rate_of_its_name_but_reasoning() -> None:
    rates = {field.name for field in msgspec.structs.fields(Rates)}
    assert rates == set(TokenClass) - {TokenClass.REASONING}


@pytest.mark.parametrize(
    ("provider", "model", "usage", "cost"),
    [
        ("openai", "gpt-4o", Usage(1_000_000, 1_000_000), "12.50"),
        ("openai", "gpt-4o-2024-08-06", Usage(10, 1), "0.000035"),
        ("openai", "gpt-4o", Usage(1000, 0, cache_read_tokens=400), "0.002"),
        ("anthropic", "claude-haiku-4-5-20251001", Usage(3, 7), "0.000038"),
        (
            "anthropic",
            "claude-opus-4-6",
            Usage(100, 10, cache_read_tokens=50, cache_write_tokens=30, cache_write_1h_tokens=10),
            # 20 plain, 50 read, 20 written for five minutes, 10 for an hour, 10 out
            "0.0006",
        ),
        ("openai", "gpt-5.4", Usage(272_000, 0), "0.68"),
        ("openai", "gpt-5.4", Usage(272_001, 0), "1.360005"),
        ("openai", "gpt-4o-2024-05-13", Usage(1_000_000, 1_000_000), "20"),
        ("anthropic", "claude-haiku-5-5", Usage(100_000, 0, cache_read_tokens=100_000), "0.001"),
        ("anthropic", "claude-haiku-5-5", Usage(200_000, 0, cache_read_tokens=100_000), "0.055"),
    ],
)
def test_costs(provider: str, model: str, usage: Usage, cost: str) -> None:
    assert PRICING.cost(provider, model, usage) == Decimal(cost)


@pytest.mark.parametrize(
    ("provider", "model"), [("openai", "gpt-9"), ("ollama", "gpt-4o"), ("openai", "gpt-4o-audio")]
)
def test_an_unknown_price_is_unknown(provider: str, model: str) -> None:
    assert PRICING.cost(provider, model, Usage(1, 1)) is None


def test_the_operators_prices_override_the_list() -> None:
    mine = own_price("1", "2")
    pricing = Pricing(list_prices().prices, [mine])
    assert pricing.cost("openai", "gpt-4o", Usage(1, 1)) == Decimal("0.000003")
    assert pricing.cost("openai", "gpt-5", Usage(1, 1)) == Decimal("0.00001125")


def test_a_class_without_a_rate_costs_what_input_costs() -> None:
    pricing = Pricing([own_price("3", "0")])
    usage = Usage(30, 0, cache_read_tokens=10, cache_write_tokens=20, cache_write_1h_tokens=5)
    assert pricing.cost("openai", "gpt-4o", usage) == Decimal("0.00009")


def test_a_rate_of_nothing_is_one() -> None:
    free = own_price("3", "0", cache_write=Decimal(2), cache_write_1h=Decimal(0))
    usage = Usage(10, 0, cache_write_tokens=10, cache_write_1h_tokens=10)
    assert Pricing([free]).cost("openai", "gpt-4o", usage) == 0


def test_what_used_nothing_costs_nothing_whatever_the_price() -> None:
    assert Pricing([]).cost("openai", "gpt-9", Usage()) == 0


def test_audio_and_images_have_rates_of_their_own() -> None:
    mine = own_price(
        "1",
        "2",
        audio_input=Decimal(30),
        audio_output=Decimal(60),
        image_input=Decimal(4),
        image_output=Decimal(8),
    )
    usage = Usage(
        input_tokens=100,
        output_tokens=50,
        cache_read_tokens=20,
        audio_input_tokens=10,
        image_input_tokens=5,
        audio_output_tokens=7,
        image_output_tokens=3,
    )
    # 20 cached and 65 plain at 1, 10 at 30, 5 at 4; 40 at 2, 7 at 60, 3 at 8
    assert Pricing([mine]).cost("openai", "gpt-4o", usage) == Decimal(929) / 1_000_000
    text = own_price("1", "2")
    assert Pricing([text]).cost("openai", "gpt-4o", usage) == Decimal(200) / 1_000_000


def test_each_class_and_each_tool_has_its_cost() -> None:
    mine = own_price(
        "1",
        "2",
        cache_read=Decimal("0.1"),
        cache_write=Decimal("1.25"),
        cache_write_1h=Decimal(2),
        audio_input=Decimal(30),
        image_output=Decimal(8),
    )
    requests = RequestPricing([request_price("web_search", "0.01")])
    usage = Usage(
        input_tokens=100,
        output_tokens=50,
        cache_read_tokens=20,
        cache_write_tokens=15,
        cache_write_1h_tokens=5,
        reasoning_tokens=11,
        audio_input_tokens=10,
        image_output_tokens=3,
        web_searches=2,
    )
    pricing = Pricing([mine], requests=requests)
    assert pricing.costs("openai", "gpt-4o", usage) == {
        TokenClass.INPUT: Decimal("0.000055"),
        TokenClass.AUDIO_INPUT: Decimal("0.0003"),
        TokenClass.CACHE_READ: Decimal("0.000002"),
        TokenClass.CACHE_WRITE: Decimal("0.0000125"),
        TokenClass.CACHE_WRITE_1H: Decimal("0.00001"),
        TokenClass.OUTPUT: Decimal("0.000072"),
        TokenClass.REASONING: Decimal("0.000022"),
        TokenClass.IMAGE_OUTPUT: Decimal("0.000024"),
        "web_search": Decimal("0.02"),
    }
    assert pricing.cost("openai", "gpt-4o", usage) == Decimal("0.0204975")
    assert pricing.costs("openai", "gpt-4o", Usage(1, 1, images=1)) is None
    assert pricing.costs("openai", "gpt-9", Usage(1, 1)) is None
    assert pricing.costs("openai", "gpt-9", Usage()) == {}


def test_what_came_from_a_cache_is_not_paid_again_as_audio() -> None:
    mine = own_price("1", "2", cache_read=Decimal(0), audio_input=Decimal(30))
    usage = Usage(10, 0, cache_read_tokens=8, audio_input_tokens=10)
    assert Pricing([mine]).cost("openai", "gpt-4o", usage) == Decimal(60) / 1_000_000


class TestHostedTools:
    def test_each_use_has_its_price(self) -> None:
        requests = RequestPricing(
            [
                request_price("web_search", "0.01"),
                request_price("file_search", "0.0025"),
                request_price("code_interpreter", "0.03"),
                request_price("image_generation", "0.2"),
            ]
        )
        usage = Usage(1, 0, web_searches=2, file_searches=4, code_sessions=1, images=1)
        pricing = Pricing([own_price("1", "2")], requests=requests)
        assert pricing.cost("openai", "gpt-4o", usage) == Decimal("0.260001")

    @pytest.mark.parametrize(
        "used",
        [
            Usage(1, 1, web_searches=1),
            Usage(1, 1, file_searches=1),
            Usage(1, 1, code_sessions=1),
            Usage(1, 1, images=1),
        ],
    )
    def test_one_without_a_price_makes_that_of_the_call_unknown(self, used: Usage) -> None:
        pricing = Pricing([own_price("1", "2")])
        assert pricing.cost("openai", "gpt-4o", Usage(1, 1)) is not None
        assert pricing.cost("openai", "gpt-4o", used) is None


class TestTenants:
    def test_a_tenant_has_its_own_price_before_that_of_everybody(self) -> None:
        pricing = Pricing([own_price("1", "1"), own_price("3", "3", tenant="acme")])
        assert pricing.cost("openai", "gpt-4o", Usage(1, 0), "acme") == Decimal("0.000003")
        assert pricing.cost("openai", "gpt-4o", Usage(1, 0), "other") == Decimal("0.000001")
        assert pricing.cost("openai", "gpt-4o", Usage(1, 0)) == Decimal("0.000001")

    def test_its_price_holds_for_dated_versions_that_the_list_has_too(self) -> None:
        mine = own_price("3", "3", tenant="acme")
        pricing = Pricing(list_prices().prices, [mine])
        model = "gpt-4o-2024-05-13"
        assert pricing.cost("openai", model, Usage(1, 0), "acme") == Decimal("0.000003")
        assert pricing.cost("openai", model, Usage(1, 0), "other") == Decimal("0.000005")

    def test_a_price_of_one_tenant_alone_is_unknown_to_others(self) -> None:
        pricing = Pricing([own_price("3", "3", tenant="acme")])
        assert pricing.price("openai", "gpt-4o", "acme") is not None
        assert pricing.price("openai", "gpt-4o", "other") is None

    def test_requests_have_prices_of_tenants_too(self) -> None:
        mine = request_price("web_search", "0.005", tenant="acme")
        requests = RequestPricing([request_price("web_search", "0.01")], [mine])
        pricing = Pricing([own_price("0", "0")], requests=requests)
        usage = Usage(1, 0, web_searches=1)
        assert pricing.cost("openai", "gpt-4o", usage, "acme") == Decimal("0.005")
        assert pricing.cost("openai", "gpt-4o", usage, "other") == Decimal("0.01")


class TestDates:
    def test_a_price_holds_from_its_day_on(self) -> None:
        day = date(2027, 1, 1)
        now = [date(2026, 12, 31)]
        prices = [own_price("1", "1"), own_price("2", "2", since=day)]
        pricing = Pricing(prices, today=lambda: now[0])
        assert pricing.cost("openai", "gpt-4o", Usage(1, 0)) == Decimal("0.000001")
        now[0] = day
        assert pricing.cost("openai", "gpt-4o", Usage(1, 0)) == Decimal("0.000002")

    def test_the_operators_price_goes_before_a_later_one_of_the_list(self) -> None:
        listed = [own_price("1", "1"), own_price("9", "9", since=date(2026, 6, 1))]
        pricing = Pricing(listed, [own_price("2", "2")], today=lambda: date(2026, 12, 31))
        assert pricing.cost("openai", "gpt-4o", Usage(1, 0)) == Decimal("0.000002")

    def test_before_its_day_there_is_none(self) -> None:
        tomorrow = own_price("1", "1", since=date(2027, 1, 1))
        pricing = Pricing([tomorrow], today=lambda: date(2026, 12, 31))
        assert pricing.price("openai", "gpt-4o") is None


@examples
@given(COUNTS, COUNTS, COUNTS, COUNTS)
def test_the_cost_of_a_sum_is_the_sum_of_the_costs(a: int, b: int, c: int, d: int) -> None:
    first = Usage(a + b, c, cache_read_tokens=b)
    second = Usage(d, a, cache_write_tokens=d, cache_write_1h_tokens=d // 2)
    price = PRICING.price("anthropic", "claude-sonnet-4-6")
    assert price is not None
    assert price.cost(first) + price.cost(second) == price.cost(first + second)


def test_every_list_price_says_where_it_is_from_and_when() -> None:
    prices = list_prices().prices
    assert len(prices) > 15
    for price in prices:
        assert price.source.startswith("https://")
        assert price.checked >= date(2026, 11, 28)
        assert 0 < price.input <= price.output or "embedding" in price.model


def test_every_price_of_a_request_says_so_too() -> None:
    requests = list_prices().requests
    searched = {"tavily", "brave", "github", "searxng"}
    assert {one.provider for one in requests} == searched | {"deepgram", "openai", "anthropic"}
    for price in requests:
        assert price.source.startswith("https://")
        assert price.checked >= date(2026, 11, 28)
        assert 0 <= price.request < 1
        assert 0 <= price.second < Decimal("0.01")
        assert 0 <= price.character < Decimal("0.001")


@pytest.mark.parametrize(
    "table", [{"price": []}, {"prices": [{"provider": "p"}]}, {"prices": [{"inputs": "1"}]}]
)
def test_a_table_that_is_none(table: object) -> None:
    with pytest.raises(ValueError, match=r"missing|unknown"):
        read_prices(table)

"""Prices by token class, exact to the last decimal; what is not in the table is unknown."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.backend.examples import examples

from cartrita.domain.usage import Usage
from cartrita.gateway.pricing import Price, Pricing, list_prices, read_prices

PRICING = Pricing(list_prices().prices)
COUNTS = st.integers(0, 10**7)


def own_price(input_: str, output: str) -> Price:
    return Price(
        provider="openai",
        model="gpt-4o",
        checked=date(2026, 1, 1),
        source="contract",
        input=Decimal(input_),
        output=Decimal(output),
    )


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
    assert Pricing([*list_prices().prices, mine]).cost("openai", "gpt-4o", Usage(1, 1)) == Decimal(
        "0.000003"
    )


def test_a_class_without_a_rate_costs_what_input_costs() -> None:
    pricing = Pricing([own_price("3", "0")])
    usage = Usage(30, 0, cache_read_tokens=10, cache_write_tokens=20, cache_write_1h_tokens=5)
    assert pricing.cost("openai", "gpt-4o", usage) == Decimal("0.00009")


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
    assert {price.provider for price in requests} == searched | {"deepgram", "openai"}
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

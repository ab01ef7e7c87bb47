"""Numbers that no price can be are refused with their place, in each table and each field."""

import tomllib
from decimal import Decimal
from typing import Final

import pytest

from cartrita.domain.usage import MOST_TOKENS, Usage
from cartrita.gateway.price_numbers import MOST_DOLLARS
from cartrita.gateway.pricing import Pricing, read_prices

MODEL: Final = """
[[prices]]
provider = "openai"
model = "gpt-4o"
checked = 2026-11-28
source = "a contract"
input = 1
output = 2
"""
REQUEST: Final = """
[[requests]]
provider = "openai"
operation = "web_search"
checked = 2026-11-28
source = "a contract"
"""
WRONG: Final = (
    "nan",
    "-inf",
    "inf",
    '"NaN"',
    '"sNaN"',
    '"Infinity"',
    "-0.5",
    '"-1"',
    '"-0"',
    "1e308",
    '"1e400"',
    '"1e999999"',
    '"1e-999999"',
    '"0e-999999"',
    '"1000000.01"',
    "99999999999999999999999",
)
RATES: Final = (
    "cache_read",
    "cache_write",
    "cache_write_1h",
    "audio_input",
    "audio_output",
    "image_input",
    "image_output",
)


@pytest.mark.parametrize("number", WRONG)
@pytest.mark.parametrize("field", ["input", "output"])
def test_a_rate_that_none_can_be(number: str, field: str) -> None:
    replaced = {"input": "input = 1", "output": "output = 2"}[field]
    text = MODEL + MODEL.replace(replaced, f"{field} = {number}")
    with pytest.raises(ValueError, match=rf"^{field} of \[\[prices\]\] row 2 is .*: write US dol"):
        read_prices(tomllib.loads(text))


@pytest.mark.parametrize("field", RATES)
def test_each_rate_is_looked_at(field: str) -> None:
    with pytest.raises(ValueError, match=rf"^{field} of \[\[prices\]\] row 1 is NaN"):
        read_prices(tomllib.loads(f"{MODEL}{field} = nan"))


@pytest.mark.parametrize("number", WRONG)
@pytest.mark.parametrize("field", ["request", "second", "character"])
def test_a_price_of_a_request_that_none_can_be(number: str, field: str) -> None:
    with pytest.raises(ValueError, match=rf"^{field} of \[\[requests\]\] row 1 is .*: write US"):
        read_prices(tomllib.loads(f"{MODEL}{REQUEST}{field} = {number}"))


@pytest.mark.parametrize("number", WRONG)
def test_the_price_of_a_tenant_is_looked_at_too(number: str) -> None:
    text = MODEL + MODEL.replace("input = 1", f'tenant = "acme"\ninput = {number}')
    with pytest.raises(ValueError, match=r"^input of \[\[prices\]\] row 2 is "):
        read_prices(tomllib.loads(text))


@pytest.mark.parametrize("number", WRONG)
def test_a_rate_of_long_requests_that_none_can_be(number: str) -> None:
    above = f"above = {{ input_tokens = 9, input = {number}, output = 2 }}"
    with pytest.raises(ValueError, match=r"^above\.input of \[\[prices\]\] row 1 is "):
        read_prices(tomllib.loads(MODEL + above))


@pytest.mark.parametrize("number", [-1, MOST_TOKENS + 1])
def test_a_number_of_tokens_that_none_can_be(number: int) -> None:
    above = f"above = {{ input_tokens = {number}, input = 1, output = 2 }}"
    with pytest.raises(ValueError, match=r"^above\.input_tokens of .* a number of tokens from 0"):
        read_prices(tomllib.loads(MODEL + above))


@pytest.mark.parametrize(
    "number", ["0", "0.0", '"0.000"', "1e-5", "7.166666666666667e-05", str(MOST_DOLLARS), '"1E+6"']
)
def test_numbers_that_prices_can_be(number: str) -> None:
    table = read_prices(tomllib.loads(MODEL.replace("input = 1", f"input = {number}")))
    assert table.prices[0].input == Decimal(number.strip('"'))


def test_the_dearest_price_of_the_most_tokens_is_a_number() -> None:
    text = MODEL.replace("input = 1", f"input = {MOST_DOLLARS}")
    pricing = Pricing(read_prices(tomllib.loads(text)).prices)
    cost = pricing.cost("openai", "gpt-4o", Usage(MOST_TOKENS, MOST_TOKENS))
    assert cost is not None
    assert cost.is_finite()

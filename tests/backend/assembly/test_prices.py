"""The prices of a server: the list, with the operator's own over it."""

from decimal import Decimal
from pathlib import Path

import pytest

from cartrita.assembly.prices import create_prices
from cartrita.domain.usage import Usage
from cartrita.kit.operator_error import OperatorError
from cartrita.settings import load

OWN = """
[[prices]]
provider = "ollama"
model = "llama3.1:8b"
checked = 2026-11-28
source = "our power bill"
input = "0.10"
output = "0.20"

[[requests]]
provider = "tavily"
operation = "search"
checked = 2026-11-29
source = "our plan"
request = "0.005"
"""
ONE_EACH = Usage(1_000_000, 1_000_000)


def test_the_list_alone(tmp_path: Path) -> None:
    pricing = create_prices(load({}, tmp_path)).models
    assert pricing.cost("openai", "gpt-4o", ONE_EACH) == Decimal("12.50")
    assert pricing.cost("ollama", "llama3.1:8b", ONE_EACH) is None


def test_own_prices_are_added(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(OWN)
    settings = load({"CARTRITA_LEDGER_PRICES": "own.toml"}, tmp_path)
    prices = create_prices(settings)
    assert prices.models.cost("ollama", "llama3.1:8b", ONE_EACH) == Decimal("0.30")
    for service in ("tavily", "brave"):
        price = prices.requests.price(service, "search")
        assert price is not None
        assert price.request == Decimal("0.005")
    assert prices.requests.price("brave", "fetch") is None


OF_A_TENANT = """
[[prices]]
provider = "openai"
model = "gpt-4o"
tenant = "acme"
since = 2026-01-01
checked = 2026-11-28
source = "their contract"
input = "1.00"
output = "2.00"

[[requests]]
provider = "openai"
operation = "web_search"
tenant = "acme"
checked = 2026-11-29
source = "their contract"
request = "0.002"
"""


def test_a_tenant_has_prices_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(OF_A_TENANT)
    pricing = create_prices(load({"CARTRITA_LEDGER_PRICES": "own.toml"}, tmp_path)).models
    assert pricing.cost("openai", "gpt-4o", ONE_EACH, "acme") == Decimal("3.00")
    assert pricing.cost("openai", "gpt-4o", ONE_EACH, "other") == Decimal("12.50")
    searched = Usage(1, web_searches=1)
    assert pricing.cost("openai", "gpt-4o", searched, "acme") == Decimal("0.002001")
    assert pricing.cost("openai", "gpt-4o", searched, "other") == Decimal("0.0100025")


@pytest.mark.parametrize("text", [None, "prices = 3", "[[prices]", '[[prices]]\nmodel = "m"', "\0"])
def test_a_file_that_is_none_stops_the_start(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "own.toml").write_text(text)
    settings = load({"CARTRITA_LEDGER_PRICES": "own.toml"}, tmp_path)
    with pytest.raises(OperatorError, match=r"own\.toml"):
        create_prices(settings)


@pytest.mark.parametrize("octets", [b"\xff\xfe\x00", b"a = " + b"[" * 100_000])
def test_a_file_that_is_no_text_stops_the_start(tmp_path: Path, octets: bytes) -> None:
    (tmp_path / "own.toml").write_bytes(octets)
    settings = load({"CARTRITA_LEDGER_PRICES": "own.toml"}, tmp_path)
    with pytest.raises(OperatorError, match=r"own\.toml"):
        create_prices(settings)


def test_a_folder_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="is a directory"):
        create_prices(load({"CARTRITA_LEDGER_PRICES": "."}, tmp_path))


def test_a_number_that_is_no_price_is_told_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(OWN.replace('"0.20"', "nan"))
    settings = load({"CARTRITA_LEDGER_PRICES": "own.toml"}, tmp_path)
    with pytest.raises(OperatorError) as raised:
        create_prices(settings)
    assert str(raised.value) == (
        "ledger.prices: own.toml is no table of prices: output of [[prices]] row 1 is NaN: write US"
        " dollars from 0 to 1000000 with at most 24 decimal places, like 2.50."
    )

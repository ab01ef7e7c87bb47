"""Prices of calls, from a table of list prices and the operator's own."""

import re
import tomllib
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final

import msgspec

from cartrita.domain.ledger import ServiceUse
from cartrita.domain.usage import Usage

_VERSION = re.compile(r"-(?:\d{8}|\d{4}-\d{2}-\d{2}|latest)$")
_MILLION = 1_000_000


class Rates(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """US dollars per million tokens of each class; a missing class costs what input costs."""

    input: Decimal
    output: Decimal
    cache_read: Decimal | None = None
    cache_write: Decimal | None = None
    cache_write_1h: Decimal | None = None

    def cost(self, usage: Usage) -> Decimal:
        """The price of a usage, whose totals are inclusive."""
        written = usage.cache_write_tokens - usage.cache_write_1h_tokens
        plain = usage.input_tokens - usage.cache_read_tokens - usage.cache_write_tokens
        cache_write = self.input if self.cache_write is None else self.cache_write
        total = (
            self.input * max(plain, 0)
            + (self.input if self.cache_read is None else self.cache_read) * usage.cache_read_tokens
            + cache_write * written
            + (self.cache_write_1h or cache_write) * usage.cache_write_1h_tokens
            + self.output * usage.output_tokens
        )
        return total / _MILLION

    def most(self, input_tokens: int, output_tokens: int) -> Decimal:
        """The most that so many tokens may cost, of whichever class they are."""
        rates = (self.input, self.cache_read, self.cache_write, self.cache_write_1h)
        dearest = max(one for one in rates if one is not None)
        return (dearest * input_tokens + self.output * output_tokens) / _MILLION


class LongContextRates(Rates, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Rates of requests with more than `input_tokens` tokens of input."""

    input_tokens: int


class Price(Rates, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The price of a model: `checked` on that day at `source`."""

    provider: str
    model: str
    checked: date
    source: str
    above: LongContextRates | None = None

    def of_size(self, input_tokens: int) -> Rates:
        """The rates of a request with so many tokens of input."""
        above = self.above
        return above if above is not None and input_tokens > above.input_tokens else self


class RequestPrice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """US dollars for requests of a service: `checked` on that day at `source`.

    Each costs `request`, and more for what it does: for each `second` of audio, and each
    `character`.
    """

    provider: str
    operation: str
    checked: date
    source: str
    request: Decimal = Decimal(0)
    second: Decimal = Decimal(0)
    character: Decimal = Decimal(0)

    def of_use(self, use: ServiceUse) -> Decimal:
        """The price of what was done, without that of the request."""
        seconds = Decimal(str(round(use.audio_seconds, 3)))
        return self.second * seconds + self.character * use.characters


FREE: Final = RequestPrice(
    provider="", operation="", checked=date(2026, 11, 29), source="nobody is paid"
)
"""The price of what is asked without a key."""


class PriceTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Prices of models, and of requests of services that serve none."""

    prices: tuple[Price, ...] = ()
    requests: tuple[RequestPrice, ...] = ()


class Pricing:
    """Looks up prices; those that come later in `prices` override earlier ones."""

    def __init__(self, prices: Iterable[Price]) -> None:
        self._prices = {(price.provider, price.model): price for price in prices}
        self._found = lru_cache(maxsize=1024)(self._find)

    def price(self, provider: str, model: str) -> Price | None:
        """The price of a model or of the model that it is a dated version of."""
        return self._found(provider, model)

    def _find(self, provider: str, model: str) -> Price | None:
        exact = self._prices.get((provider, model))
        return exact or self._prices.get((provider, _VERSION.sub("", model)))

    def cost(self, provider: str, model: str, usage: Usage) -> Decimal | None:
        """US dollars; None where the price is not known."""
        price = self.price(provider, model)
        if price is None:
            return None
        return price.of_size(usage.input_tokens).cost(usage)


class RequestPricing:
    """Looks up prices of requests; those that come later override earlier ones."""

    def __init__(self, prices: Iterable[RequestPrice]) -> None:
        self._prices = {(price.provider, price.operation): price for price in prices}

    def price(self, provider: str, operation: str) -> RequestPrice | None:
        """The price of this at a service; None where it is not known."""
        return self._prices.get((provider, operation))


@cache
def list_prices() -> PriceTable:
    """The list prices that come with this version."""
    text = files("cartrita.gateway").joinpath("prices.toml").read_text("utf-8")
    return read_prices(tomllib.loads(text))


def read_prices(table: object) -> PriceTable:
    """The prices in a TOML document. Raises ValueError, naming what is wrong."""
    return msgspec.convert(table, PriceTable)

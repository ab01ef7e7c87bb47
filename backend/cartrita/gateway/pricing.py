"""Prices of calls, from a table of list prices and the operator's own."""

import re
import tomllib
from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final

import msgspec

from cartrita.domain.ledger import ServiceUse
from cartrita.domain.principals import LOCAL_TENANT
from cartrita.domain.token_classes import Costs, TokenClass, tokens_by_class
from cartrita.domain.usage import NOTHING_USED, Usage
from cartrita.gateway.price_numbers import require_numbers
from cartrita.gateway.price_rows import PriceRows
from cartrita.gateway.pricing_failures import unpriced_if_it_fails
from cartrita.kit import clock

_VERSION = re.compile(r"-(?:\d{8}|\d{4}-\d{2}-\d{2}|latest)$")
_MILLION: Final = Decimal(1_000_000)
_OTHERWISE: Final = {
    TokenClass.AUDIO_INPUT: TokenClass.INPUT,
    TokenClass.IMAGE_INPUT: TokenClass.INPUT,
    TokenClass.CACHE_READ: TokenClass.INPUT,
    TokenClass.CACHE_WRITE: TokenClass.INPUT,
    TokenClass.CACHE_WRITE_1H: TokenClass.CACHE_WRITE,
    TokenClass.REASONING: TokenClass.OUTPUT,
    TokenClass.AUDIO_OUTPUT: TokenClass.OUTPUT,
    TokenClass.IMAGE_OUTPUT: TokenClass.OUTPUT,
}
"""As what a class is paid that has no rate of its own."""
_NOTHING: Final = Decimal(0)


def _today() -> date:
    return clock.now().date()


class Rates(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """US dollars per million tokens of each class.

    A missing class costs what input costs, or output. `cache_write_1h` are writes that are kept
    longer. Tokens of audio and images that came from a cache cost what others do that did.
    """

    input: Decimal
    output: Decimal
    cache_read: Decimal | None = None
    cache_write: Decimal | None = None
    cache_write_1h: Decimal | None = None
    audio_input: Decimal | None = None
    audio_output: Decimal | None = None
    image_input: Decimal | None = None
    image_output: Decimal | None = None

    def cost(self, usage: Usage) -> Decimal:
        """The price of a usage, whose totals are inclusive."""
        return sum(self.costs(usage).values(), _NOTHING)

    def costs(self, usage: Usage) -> dict[str, Decimal]:
        """The price of each class of its tokens."""
        return {
            name: self._rate(name) * count / _MILLION
            for name, count in tokens_by_class(usage).items()
        }

    def most(self, input_tokens: int, output_tokens: int) -> Decimal:
        """The most that so many tokens may cost, of whichever class they are."""
        cached = (self.cache_read, self.cache_write, self.cache_write_1h)
        read = _dearest(self.input, *cached, self.audio_input, self.image_input)
        written = _dearest(self.output, self.audio_output, self.image_output)
        return (read * input_tokens + written * output_tokens) / _MILLION

    def _rate(self, name: TokenClass) -> Decimal:
        rate: Decimal | None = getattr(self, name, None)
        return self._rate(_OTHERWISE[name]) if rate is None else rate


@unpriced_if_it_fails
def total_of(costs: Costs | None) -> Decimal | None:
    """US dollars for all of it; None where the price of a part is not known."""
    return None if costs is None else sum(costs.values(), _NOTHING)


class LongContextRates(Rates, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Rates of requests with more than `input_tokens` tokens of input."""

    input_tokens: int


class Price(Rates, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The price of a model: `checked` on that day at `source`.

    It is that of one `tenant` if it says so, and holds from the day `since` on.
    """

    provider: str
    model: str
    checked: date
    source: str
    tenant: str | None = None
    since: date | None = None
    above: LongContextRates | None = None

    def of_size(self, input_tokens: int) -> Rates:
        """The rates of a request with so many tokens of input."""
        above = self.above
        return above if above is not None and input_tokens > above.input_tokens else self


class RequestPrice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """US dollars for requests of a service, or of a tool that a provider runs for its models.

    It was `checked` on that day at `source`; for `tenant` and `since` see `Price`. Each costs
    `request`, and more for what it does: for each `second` of audio, and each `character`.
    """

    provider: str
    operation: str
    checked: date
    source: str
    tenant: str | None = None
    since: date | None = None
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


class RequestPricing:
    """Looks up prices of requests in tables, of which later ones go before earlier ones."""

    def __init__(self, *tables: Iterable[RequestPrice], today: Callable[[], date] = _today) -> None:
        self._rows = PriceRows(tables, lambda price: (price.provider, price.operation))
        self._today = today

    def price(
        self, provider: str, operation: str, tenant: str = LOCAL_TENANT
    ) -> RequestPrice | None:
        """The price of this at a service for a tenant; None where it is not known."""
        named, day = (provider, operation), self._today()
        return self._rows.find(tenant, named, day) or self._rows.find(None, named, day)


class Pricing:
    """Looks up prices in tables, of which later ones go before earlier ones.

    `requests` are the prices of what a provider's own tools do.
    """

    def __init__(
        self,
        *tables: Iterable[Price],
        requests: RequestPricing | None = None,
        today: Callable[[], date] = _today,
    ) -> None:
        self._rows = PriceRows(tables, lambda price: (price.provider, price.model))
        self._requests = requests or RequestPricing()
        self._today = today
        self._found = lru_cache(maxsize=1024)(self._find)

    def price(self, provider: str, model: str, tenant: str = LOCAL_TENANT) -> Price | None:
        """The price for a tenant of a model, or of the model that it is a dated version of."""
        return self._found(provider, model, tenant, self._today())

    def cost(
        self, provider: str, model: str, usage: Usage, tenant: str = LOCAL_TENANT
    ) -> Decimal | None:
        """US dollars; None where the price of a part is not known."""
        return total_of(self.costs(provider, model, usage, tenant))

    @unpriced_if_it_fails
    def costs(
        self, provider: str, model: str, usage: Usage, tenant: str = LOCAL_TENANT
    ) -> Costs | None:
        """The same by class of tokens, and by the provider's own tools: the sum is the cost."""
        if usage == NOTHING_USED:
            return {}
        price = self.price(provider, model, tenant)
        of_tools = self._costs_of_tools(provider, usage, tenant)
        if price is None or of_tools is None:
            return None
        return price.of_size(usage.input_tokens).costs(usage) | of_tools

    def _costs_of_tools(
        self, provider: str, usage: Usage, tenant: str
    ) -> dict[str, Decimal] | None:
        costs: dict[str, Decimal] = {}
        for operation, times in _tools_of(usage):
            if times:
                price = self._requests.price(provider, operation, tenant)
                if price is None:
                    return None
                costs[operation] = price.request * times
        return costs

    def _find(self, provider: str, model: str, tenant: str, day: date) -> Price | None:
        """A tenant's own price goes before those of everybody, also that of a model's version."""
        names = dict.fromkeys((model, _VERSION.sub("", model)))
        for whose in (tenant, None):
            for name in names:
                if found := self._rows.find(whose, (provider, name), day):
                    return found
        return None


@cache
def list_prices() -> PriceTable:
    """The list prices that come with this version."""
    text = files("cartrita.gateway").joinpath("prices.toml").read_text("utf-8")
    return read_prices(tomllib.loads(text))


def read_prices(table: object) -> PriceTable:
    """The prices in a TOML document. Raises ValueError, naming what is wrong."""
    found = msgspec.convert(table, PriceTable)
    require_numbers("[[prices]]", found.prices)
    require_numbers("[[requests]]", found.requests)
    return found


def _tools_of(usage: Usage) -> tuple[tuple[str, int], ...]:
    """How often a provider's own tools were used, by the operations that have prices."""
    return (
        ("web_search", usage.web_searches),
        ("file_search", usage.file_searches),
        ("code_interpreter", usage.code_sessions),
        ("image_generation", usage.images),
    )


def _dearest(*rates: Decimal | None) -> Decimal:
    return max(rate for rate in rates if rate is not None)

"""The prices that the ledger reckons with: list prices, and the operator's own over them."""

import tomllib
from typing import NamedTuple

from cartrita.gateway.pricing import (
    PriceTable,
    Pricing,
    RequestPricing,
    list_prices,
    read_prices,
)
from cartrita.kit.operator_error import OperatorError
from cartrita.settings import Settings


class Prices(NamedTuple):
    """The prices of models, and of requests of services."""

    models: Pricing
    requests: RequestPricing


def create_prices(settings: Settings) -> Prices:
    """The prices that hold here. Raises OperatorError for a file that is no table of them."""
    tables = (list_prices(), _own(settings))
    requests = RequestPricing(*(table.requests for table in tables))
    return Prices(Pricing(*(table.prices for table in tables), requests=requests), requests)


def _own(settings: Settings) -> PriceTable:
    """Raises OperatorError for a file that cannot be read or holds something else."""
    path = settings.ledger.prices
    if path is None:
        return PriceTable()
    try:
        return read_prices(tomllib.loads(path.read_text("utf-8")))
    except OSError as error:
        reason = (error.strerror or "it cannot be read").lower()
        raise OperatorError(f"ledger.prices: {path.name} cannot be read: {reason}.") from None
    except RecursionError:
        raise OperatorError(f"ledger.prices: {path.name} is nested too deep.") from None
    except ValueError as error:
        raise OperatorError(f"ledger.prices: {path.name} is no table of prices: {error}.") from None

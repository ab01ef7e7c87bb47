"""The prices that the ledger reckons with: list prices, and the operator's own over them."""

import tomllib

from cartrita.gateway.pricing import Pricing, list_prices, read_prices
from cartrita.kit.operator_error import OperatorError
from cartrita.settings import Settings


def create_pricing(settings: Settings) -> Pricing:
    """Raises OperatorError for a file that cannot be read or holds something else."""
    path = settings.ledger.prices
    if path is None:
        return Pricing(list_prices())
    try:
        own = read_prices(tomllib.loads(path.read_text("utf-8")))
    except OSError as error:
        reason = (error.strerror or "it cannot be read").lower()
        raise OperatorError(f"ledger.prices: {path.name} cannot be read: {reason}.") from None
    except ValueError as error:
        raise OperatorError(f"ledger.prices: {path.name} is no table of prices: {error}.") from None
    return Pricing([*list_prices(), *own])

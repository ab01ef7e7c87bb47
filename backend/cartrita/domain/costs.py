"""Costs as numbers of events, in US dollars: added as the decimals that they stand for."""

from decimal import Decimal


def add(*costs: float) -> float:
    """Their sum, without the error that adding binary fractions has.

    A price is a decimal, and so is what a call costs: its shortest notation as a number is exactly
    that decimal.
    """
    return float(sum((Decimal(str(cost)) for cost in costs), Decimal(0)))

"""Checks the operator's own prices: the server does not start with a file that is no table."""

from cartrita.assembly.prices import create_prices
from cartrita.cli.doctor.findings import Finding, ok, problem
from cartrita.kit.operator_error import OperatorError
from cartrita.settings import Settings

_FIX = "Correct the file, or name another with CARTRITA_LEDGER_PRICES."


def examine_prices(settings: Settings) -> list[Finding]:
    """What is found of the file, if one is named: in the words that the server would end with."""
    path = settings.ledger.prices
    if path is None:
        return []
    try:
        create_prices(settings)
    except OperatorError as error:
        return [problem("prices", str(error), _FIX)]
    return [ok("prices", f"{path} goes before the list prices.")]

"""The costs that the ledger keeps, as far as they can be added up."""

from typing import Any, Final

from sqlalchemy import ColumnElement, case

from cartrita.adapters.persistence.tables.usage import usage_ledger

_MOST: Final = 10**18
"""Far beyond what one call may cost by any table of prices."""
_l = usage_ledger.c

COST: Final[ColumnElement[Any]] = case((_l.cost.between(0, _MOST), _l.cost))
"""What a call cost; unknown too where it is no amount of money.

Tables of prices could once hold NaN, and one such row would make that of every sum.
"""

"""The numbers of price tables: which of them can be reckoned with."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from cartrita.domain.usage import MOST_TOKENS

MOST_DOLLARS: Final = 1_000_000
"""The dearest price: a dollar for one token. Sums of its costs stay far within all that adds up."""
MOST_PLACES: Final = 24
"""As many decimal places as a binary fraction of a small price has, and the ledger keeps."""
_DOLLARS: Final = (
    f"US dollars from 0 to {MOST_DOLLARS} with at most {MOST_PLACES} decimal places, like 2.50"
)
_TOKENS: Final = f"a number of tokens from 0 to {MOST_TOKENS}, like 200000"
_SHOWN: Final = 40


def require_numbers(kind: str, rows: Sequence[msgspec.Struct]) -> None:
    """Raises ValueError for a number that no price can be, with its row and what to write."""
    for at, row in enumerate(rows, start=1):
        for field, number in _numbers(row):
            if (wanted := _wanted_instead(number)) is not None:
                shown = str(number)[:_SHOWN]
                raise ValueError(f"{field} of {kind} row {at} is {shown}: write {wanted}")


def _numbers(row: msgspec.Struct, within: str = "") -> Iterator[tuple[str, Decimal | int]]:
    for name in row.__struct_fields__:
        value = getattr(row, name)
        if isinstance(value, msgspec.Struct):
            yield from _numbers(value, f"{within}{name}.")
        elif isinstance(value, Decimal | int):
            yield within + name, value


def _wanted_instead(number: Decimal | int) -> str | None:
    """What to write in place of a number; None where it can stay."""
    if isinstance(number, int):
        return None if 0 <= number <= MOST_TOKENS else _TOKENS
    return None if _is_price(number) else _DOLLARS


def _is_price(number: Decimal) -> bool:
    if not number.is_finite() or number.is_signed() or number > MOST_DOLLARS:
        return False
    exponent = number.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= -MOST_PLACES

"""JSON with halves of surrogate pairs in its strings, which some models write.

The standard library reads them, and msgspec does not, which is much faster.
"""

import json
from typing import TypeVar

import msgspec

_T = TypeVar("_T")


def decode(data: str | bytes, kind: type[_T]) -> _T:
    """The value of this JSON. Raises ValueError if it is none of this kind, or too deep."""
    try:
        return msgspec.convert(json.loads(data, parse_constant=_refuse), kind)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _refuse(name: str) -> object:
    """The standard library also reads NaN and Infinity, which are no JSON."""
    raise ValueError(f"{name} is no value of JSON")

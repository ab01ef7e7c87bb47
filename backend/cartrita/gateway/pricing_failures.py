"""Failures of pricing: what cannot be reckoned has no price, and whoever is answered goes on."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from cartrita.kit.repeated_failures import RepeatedFailures

_P = ParamSpec("_P")
_T = TypeVar("_T")


def unpriced_if_it_fails(reckon: Callable[_P, _T]) -> Callable[_P, _T | None]:
    """The same, but None instead of an error, of which each kind is logged in full once.

    A provider has been paid by then: an error would lose its answer and have it made again.
    """
    failure_logger = RepeatedFailures("pricing_failed")

    @wraps(reckon)
    def reckoned(*args: _P.args, **named: _P.kwargs) -> _T | None:
        try:
            return reckon(*args, **named)
        except Exception as error:
            failure_logger.exception(reckon.__qualname__, error=error, of=reckon.__qualname__)
            return None

    return reckoned

"""A value that must not be shown: it prints, formats and serialises as `***`."""

import hmac
from typing import NoReturn, final


@final
class Secret:
    """Wraps one secret text; `reveal()` is the only way to it, so that uses can be searched for."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The secret itself, for the one place that needs it."""
        return self._value

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return "***"

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        # Constant time: how long a comparison takes says nothing about where two secrets differ.
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(_octets(self._value), _octets(other._value))

    def __reduce__(self) -> NoReturn:
        raise TypeError("A Secret is never pickled: reveal it where it must travel.")


def _octets(value: str) -> bytes:
    return value.encode("utf-8", "surrogatepass")

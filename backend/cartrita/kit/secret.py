"""Secrets: values that print and format as `***`, and keys derived from them."""

import hmac
from typing import NoReturn, final


@final
class Secret:
    """Wraps one secret string; `reveal()` is the only access to it, so that uses can be found."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The secret string."""
        return self._value

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return "***"

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        # In constant time, so that the duration does not reveal where two secrets differ.
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(_encode(self._value), _encode(other._value))

    def __reduce__(self) -> NoReturn:
        raise TypeError("A Secret is never pickled: reveal it where it must travel.")


def derive_secret(secret: Secret, purpose: str) -> Secret:
    """A key for one purpose: HMAC-SHA256 of the purpose, as 64 hexadecimal digits.

    A derived key reveals neither the secret nor the keys of other purposes.
    """
    digest = hmac.digest(secret.reveal().encode(), f"cartrita:{purpose}".encode(), "sha256")
    return Secret(digest.hex())


def _encode(value: str) -> bytes:
    return value.encode("utf-8", "surrogatepass")

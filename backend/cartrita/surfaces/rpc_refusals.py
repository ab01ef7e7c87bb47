"""Errors that callers of JSON-RPC are told by the status of HTTP, before they read a body."""

from typing import Final

from cartrita.domain.errors import CartritaError, ErrorKind

_OF_HTTP: Final = frozenset(
    {
        ErrorKind.BUDGET,
        ErrorKind.FORBIDDEN,
        ErrorKind.RATE_LIMITED,
        ErrorKind.UNAUTHENTICATED,
    }
)


def is_of_http(error: CartritaError) -> bool:
    """Whether an error is about the caller, and not about what was called."""
    return error.kind in _OF_HTTP

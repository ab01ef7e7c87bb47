"""Headers of error responses, which depend on the status and not on the surface."""

import math

from cartrita.domain.errors import CartritaError

_DEFAULT_RETRY_S = 2


def error_headers(error: CartritaError, status: int) -> dict[str, str]:
    """When to try again, and how to authenticate."""
    headers: dict[str, str] = {}
    if status in (429, 503):
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_after or _DEFAULT_RETRY_S)))
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="cartrita"'
    return headers

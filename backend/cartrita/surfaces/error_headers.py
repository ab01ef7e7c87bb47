"""Headers of error responses, which depend on the status and not on the surface."""

import math

from cartrita.domain.errors import BudgetExhausted, CartritaError, UpstreamError
from cartrita.surfaces.upstream_headers import upstream_headers

_DEFAULT_RETRY_S = 2


def error_headers(error: CartritaError, status: int) -> dict[str, str]:
    """When to try again, how to authenticate, and what the provider of a relay sent."""
    headers: dict[str, str] = {}
    if isinstance(error, UpstreamError) and error.relayed:
        headers |= upstream_headers(error.headers)
    exhausted = error.code == BudgetExhausted.default_code
    if exhausted:
        headers["x-should-retry"] = "false"  # or the official clients would, at once
    if exhausted or status in (429, 503, 529):
        headers.pop("retry-after", None)
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_after or _DEFAULT_RETRY_S)))
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="cartrita"'
    return headers

"""The response headers RateLimit and RateLimit-Policy.

They are structured fields as in draft-ietf-httpapi-ratelimit-headers-11, an item for each limit.
"""

import math
from functools import lru_cache
from typing import Final, TypeAlias, cast

from starlette.types import Scope

from cartrita.kit.sliding_windows import Standing
from cartrita.surfaces.inbound_rates import InboundRate

_STATE: Final = "rate_limits"

_Told: TypeAlias = list[tuple[InboundRate, Standing]]
"""The limits that a request was counted in, each with what was left of it then."""


def tell(scope: Scope, rate: InboundRate, standing: Standing, *, alone: bool = False) -> None:
    """Have the response to this request tell of a limit; `alone`, of no other."""
    state = scope["state"]
    told: _Told | None = state.get(_STATE)
    if told is None or alone:
        state[_STATE] = [(rate, standing)]
    else:
        told.append((rate, standing))


def rate_limit_fields(scope: Scope) -> list[tuple[bytes, bytes]]:
    """The headers that tell of the limits of this request; none if it was not counted."""
    told = cast("_Told | None", scope["state"].get(_STATE))
    if told is None:
        return []
    policies = [_policy(rate.name, rate.requests, rate.seconds) for rate, _ in told]
    standings = [
        b'"%b";r=%d;t=%d' % (rate.name.encode(), standing.remaining, math.ceil(standing.reset_s))
        for rate, standing in told
    ]
    return [(b"ratelimit-policy", b", ".join(policies)), (b"ratelimit", b", ".join(standings))]


@lru_cache(maxsize=1024)
def _policy(name: str, requests: int, seconds: float) -> bytes:
    return b'"%b";q=%d;w=%d' % (name.encode(), requests, math.ceil(seconds))

"""The response headers RateLimit and RateLimit-Policy.

They are structured fields as in draft-ietf-httpapi-ratelimit-headers-11, an item for each limit.
"""

import math
from typing import cast

import msgspec
from starlette.types import Scope

from cartrita.kit.sliding_windows import Standing
from cartrita.surfaces.inbound_rates import InboundRate

_STATE = "rate_limits"


class ToldLimit(msgspec.Struct, frozen=True):
    """A limit that a request was counted in, and what was left of it then."""

    rate: InboundRate
    standing: Standing


def tell(scope: Scope, limit: ToldLimit, *, alone: bool = False) -> None:
    """Have the response to this request tell of a limit; `alone`, of no other."""
    told: list[ToldLimit] = scope["state"].setdefault(_STATE, [])
    if alone:
        told.clear()
    told.append(limit)


def rate_limit_fields(scope: Scope) -> list[tuple[bytes, bytes]]:
    """The headers that tell of the limits of this request; none if it was not counted."""
    told = cast("list[ToldLimit] | None", scope["state"].get(_STATE))
    if not told:
        return []
    policies = ", ".join(
        f'"{one.rate.name}";q={one.rate.requests};w={math.ceil(one.rate.seconds)}' for one in told
    )
    standings = ", ".join(
        f'"{one.rate.name}";r={one.standing.remaining};t={math.ceil(one.standing.reset_s)}'
        for one in told
    )
    return [(b"ratelimit-policy", policies.encode()), (b"ratelimit", standings.encode())]

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

_Told: TypeAlias = list[tuple[bytes, bytes]]
"""For each limit that a request was counted in its policy, and what was left of it then."""


def tell(scope: Scope, rate: InboundRate, standing: Standing, *, alone: bool = False) -> None:
    """Have the response to this request tell of a limit; `alone`, of no other."""
    left = b'"%b";r=%d;t=%d' % (
        rate.name.encode(),
        standing.remaining,
        math.ceil(standing.reset_s),
    )
    _add(scope, _policy(rate.name, rate.requests, rate.seconds), left, alone=alone)


def tell_at_once(scope: Scope, name: str, most: int, left: int, *, alone: bool = False) -> None:
    """Have it tell of a limit of what may be under way at once."""
    _add(scope, _policy_at_once(name, most), b'"%b";r=%d' % (name.encode(), left), alone=alone)


def rate_limit_fields(scope: Scope) -> list[tuple[bytes, bytes]]:
    """The headers that tell of the limits of this request; none if it was not counted."""
    told = cast("_Told | None", scope["state"].get(_STATE))
    if told is None:
        return []
    policies, left = zip(*told, strict=True)
    return [(b"ratelimit-policy", b", ".join(policies)), (b"ratelimit", b", ".join(left))]


def _add(scope: Scope, policy: bytes, left: bytes, *, alone: bool) -> None:
    state = scope["state"]
    told: _Told | None = state.get(_STATE)
    if told is None or alone:
        state[_STATE] = [(policy, left)]
    else:
        told.append((policy, left))


@lru_cache(maxsize=1024)
def _policy(name: str, requests: int, seconds: float) -> bytes:
    return b'"%b";q=%d;w=%d' % (name.encode(), requests, math.ceil(seconds))


@lru_cache(maxsize=16)
def _policy_at_once(name: str, most: int) -> bytes:
    return b'"%b";q=%d;qu="concurrent-requests"' % (name.encode(), most)

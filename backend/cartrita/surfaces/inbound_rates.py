"""Which limits there are for requests to us, by name, and which of them a request is counted in."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

import msgspec

FAILED: Final = "failed"
ANONYMOUS: Final = "anonymous"
PRINCIPAL: Final = "principal"
KEY: Final = "key"
BY_ADDRESS: Final = frozenset({FAILED, ANONYMOUS})
_SURFACES: Final[Mapping[str, str]] = MappingProxyType(
    {"/": "native", "/v1": "openai", "/v1/messages": "anthropic"}
)
"""By path: the longest one that a route is at or below, as for errors."""
OF_FRAMES: Final = frozenset({PRINCIPAL, "native", "websocket"})
"""The names of the limits that the frames of a WebSocket are counted in."""
GENERAL: Final = frozenset({*BY_ADDRESS, PRINCIPAL, *_SURFACES.values(), *OF_FRAMES})
"""Names that are not those of operations and of their groups in openapi.json."""


class InboundRate(msgspec.Struct, frozen=True):
    """At most so many requests in so many seconds, as `SlidingWindows` counts them.

    `failed` counts credentials that are not valid, and `anonymous` requests without one, both by
    address; all others count the requests of a user: `principal` all of them, and the rest those
    to one surface, to one group of operations, or of one operation.
    """

    name: str
    requests: int
    seconds: float


DEFAULTS: Final = (
    InboundRate(FAILED, 60, 60),
    InboundRate(ANONYMOUS, 600, 60),
    InboundRate("native", 30_000, 60),
)
"""Below /v1 a user is not limited unless it is configured; see docs/operating.md."""


def over_defaults(rates: Iterable[InboundRate]) -> tuple[InboundRate, ...]:
    """The default limits, with these instead of those of the same names, and more."""
    by_name = {rate.name: rate for rate in (*DEFAULTS, *rates)}
    return tuple(by_name.values())


def names_of(path: str, operation: str, groups: Iterable[str]) -> frozenset[str]:
    """The names of the limits that the requests of a route's callers are counted in."""
    at = max((one for one in _SURFACES if _is_within(path, one)), key=len)
    return frozenset({PRINCIPAL, _SURFACES[at], operation, *groups})


def _is_within(path: str, parent: str) -> bool:
    return parent in ("/", path) or path.startswith(f"{parent}/")

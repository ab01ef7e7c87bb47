"""Counts the requests for FastAPI's routes by slowapi, in the windows of `InboundLimits`.

slowapi's own storage starts a thread every 10 ms under load, which looks through all keys, and its
middleware does not see the routes of included routers. So its decorator is on one function, which
the dependencies of all routes call, and it counts where the hot paths do.
"""

import logging
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final, TypeVar, cast

from fastapi import Request
from fastapi.routing import APIRoute
from limits import RateLimitItem
from limits.strategies import RateLimiter
from limits.util import WindowStats
from slowapi import Limiter
from slowapi.errors import RateLimitExceeded

from cartrita.kit.sliding_windows import SlidingWindows, Standing
from cartrita.surfaces.inbound_limits import InboundLimits, address_of, window_key
from cartrita.surfaces.inbound_rates import ANONYMOUS, InboundRate, names_of

_HOLDER: Final = "limits_holder"
_NAMES: Final = "limits_names"

T = TypeVar("T")
_Counted = Callable[[Request], Awaitable[None]]


class RouteLimits:
    """Counts requests for routes that FastAPI serves."""

    def __init__(self, limits: InboundLimits) -> None:
        self._limits = limits
        self._rates = {rate.name: rate for rate in limits.counted_plainly}
        limiter = _WindowLimiter(limits.windows)
        counted: _Counted = _count
        for rate in self._rates.values():
            counted = _decorated(limiter, rate, counted)
        self._counted = counted

    async def count_user(self, request: Request, owner_id: str) -> None:
        """Count a request of an authenticated user. Raises RateLimited."""
        route = request.scope.get("route")
        if isinstance(route, APIRoute) and self._rates:
            names = names_of(route.path, route.name, (str(tag) for tag in route.tags))
            await self._count(request, owner_id, names)

    async def count_anonymous(self, request: Request) -> None:
        """Count a request for a route that everybody may use. Raises RateLimited."""
        await self._count(request, address_of(request), frozenset({ANONYMOUS}))

    async def _count(self, request: Request, holder: str, names: frozenset[str]) -> None:
        setattr(request.state, _HOLDER, holder)
        setattr(request.state, _NAMES, names)
        try:
            await self._counted(request)
        except RateLimitExceeded as refused:
            rate = self._rates[cast("Any", refused.limit).scope]
            raise self._limits.refusal(request.scope, rate, holder) from None
        for name in self._rates.keys() & names:
            self._limits.tell(request.scope, self._rates[name], holder)


def route_limits_of(request: Request) -> RouteLimits:
    """The limits of the application that handles this request."""
    return request.app.state.route_limits


class _WindowLimiter(Limiter):
    """slowapi over our windows. Its variables of the environment and of `.env` change nothing."""

    def __init__(self, windows: SlidingWindows) -> None:
        super().__init__(_holder, headers_enabled=False)
        self._windows = _Windows(windows)
        self.logger.setLevel(logging.ERROR)  # it writes a line for each refusal

    @property
    def limiter(self) -> RateLimiter:
        return self._windows

    def get_app_config(self, key: str, default_value: T = None) -> T:
        return default_value


class _Windows(RateLimiter):
    """Our windows as a strategy of `limits`, with the scope and the key of slowapi's limits."""

    # The base class asks for a storage of its own kind.
    def __init__(self, windows: SlidingWindows) -> None:
        self._windows = windows

    def hit(self, item: RateLimitItem, *identifiers: str, cost: int = 1) -> bool:
        return self._windows.take(_key(identifiers), item.amount, item.get_expiry(), cost).taken

    def test(self, item: RateLimitItem, *identifiers: str, cost: int = 1) -> bool:
        return self._standing(item, identifiers).remaining >= cost

    def get_window_stats(self, item: RateLimitItem, *identifiers: str) -> WindowStats:
        standing = self._standing(item, identifiers)
        return WindowStats(time.time() + standing.reset_s, standing.remaining)

    def clear(self, item: RateLimitItem, *identifiers: str) -> None:
        self._windows.clear(_key(identifiers))

    def _standing(self, item: RateLimitItem, identifiers: tuple[str, ...]) -> Standing:
        return self._windows.standing(_key(identifiers), item.amount, item.get_expiry())


async def _count(request: Request) -> None:
    """What slowapi decorates: the requests of all routes pass here."""


def _decorated(limiter: Limiter, rate: InboundRate, counted: _Counted) -> _Counted:
    shared_limit = cast("Callable[..., Callable[[_Counted], _Counted]]", limiter.shared_limit)  # pyright: ignore[reportUnknownMemberType]
    decorate = shared_limit(
        f"{rate.requests} per {rate.seconds:.0f} second",
        scope=rate.name,
        key_func=_holder,
        exempt_when=partial(_is_exempt, rate.name),
    )
    return decorate(counted)


def _holder(request: Request) -> str:
    return getattr(request.state, _HOLDER)


def _is_exempt(name: str, request: Request) -> bool:
    return name not in getattr(request.state, _NAMES)


def _key(identifiers: tuple[str, ...]) -> str:
    holder, scope = identifiers
    return window_key(scope, holder)

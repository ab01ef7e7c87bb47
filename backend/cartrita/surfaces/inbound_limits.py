"""Counts requests to us, and refuses those beyond the limits.

Each worker process counts what it is sent, in its memory.
"""

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from starlette.requests import HTTPConnection
from starlette.types import Scope

from cartrita.application.credentials.credentials import KeyRefused
from cartrita.domain.errors import RateLimited, Unauthenticated
from cartrita.domain.ports.metrics import RequestCounts
from cartrita.domain.principals import Principal
from cartrita.domain.uncounted import UNCOUNTED
from cartrita.kit.sliding_windows import SlidingWindows, Standing
from cartrita.surfaces.hot_paths import HotPathTable
from cartrita.surfaces.inbound_rates import (
    ANONYMOUS,
    FAILED,
    KEY,
    OF_FRAMES,
    InboundRate,
    names_of,
)
from cartrita.surfaces.middleware import PROBE_PATHS
from cartrita.surfaces.rate_limit_fields import tell

_MINUTE_S = 60.0
_IPV6_SITE = 64
"""The bits of an IPv6 address that one caller does not choose."""


class NoCredential(Unauthenticated):
    """A request without any credential."""


class InboundLimits:
    """The limits of one application, and what has been counted for them.

    Requests for hot paths and everything that concerns authentication are counted here, those of
    other routes by `RouteLimits`, in the same windows. `counts` counts those beyond a limit.
    """

    def __init__(
        self,
        rates: Iterable[InboundRate],
        hot_paths: HotPathTable,
        counts: RequestCounts = UNCOUNTED,
    ) -> None:
        self._counts = counts
        by_name = {rate.name: rate for rate in rates}
        self._failed = by_name.get(FAILED)
        self._anonymous = by_name.get(ANONYMOUS)
        self.counted_plainly = tuple(rate for rate in by_name.values() if rate.name != FAILED)
        self.windows = SlidingWindows()
        self._failures = SlidingWindows()
        self._of_frames = self._applying(OF_FRAMES)
        self._hot = {
            key: self._applying(names_of(hot.path, hot.name, (hot.tag,)))
            for key, hot in hot_paths.items()
        }

    def count_hot(self, scope: Scope, principal: Principal) -> None:
        """Count a request for a hot path. Raises RateLimited."""
        for rate in self._hot[scope["method"], scope["path"]]:
            self._count(scope, rate, principal.owner_id)

    def count_key(self, scope: Scope, principal: Principal) -> None:
        """Count a request of a key whose requests are limited. Raises RateLimited."""
        limit = principal.scopes.requests_per_minute
        if limit is not None:
            self._count(scope, InboundRate(KEY, limit, _MINUTE_S), principal.key_id)

    def count_frame(self, principal: Principal) -> None:
        """Count a frame that asks for something as a request. Raises RateLimited."""
        for rate in self._of_frames:
            self._count_unseen(rate, principal.owner_id)
        if principal.scopes.requests_per_minute is not None:
            rate = InboundRate(KEY, principal.scopes.requests_per_minute, _MINUTE_S)
            self._count_unseen(rate, principal.key_id)

    def count_failure(
        self, connection: HTTPConnection, error: Unauthenticated | KeyRefused
    ) -> None:
        """Count a request that authenticated nobody. Raises RateLimited."""
        scope, address = connection.scope, address_of(connection)
        if isinstance(error, NoCredential):
            if self._anonymous is not None and scope["path"] not in PROBE_PATHS:
                self._count(scope, self._anonymous, address)
        elif (rate := self._failed) is not None and not self._failures.take(
            address, rate.requests, rate.seconds
        ).taken:
            raise self._too_many_failures(scope, rate, address)

    def require_few_failures(self, connection: HTTPConnection) -> None:
        """Raise RateLimited if too many credentials from this address were not valid."""
        if self._failed is None or not self.failing(connection):
            return
        raise self._too_many_failures(connection.scope, self._failed, address_of(connection))

    def failing(self, connection: HTTPConnection) -> bool:
        """Whether that is so; a request then needs a credential that is known to be valid."""
        if self._failed is None or not self._failures:
            return False
        rate = self._failed
        standing = self._failures.standing(address_of(connection), rate.requests, rate.seconds)
        return standing.remaining == 0

    @contextmanager
    def guessing(self, connection: HTTPConnection) -> Generator[None]:
        """A context in which a credential is checked that may be a guess. Raises RateLimited."""
        self.require_few_failures(connection)
        try:
            yield
        except (Unauthenticated, KeyRefused) as error:
            self.count_failure(connection, error)
            raise

    def refusal(self, scope: Scope, rate: InboundRate, holder: str) -> RateLimited:
        """The error for a request beyond a limit."""
        standing = self.windows.standing(window_key(rate.name, holder), rate.requests, rate.seconds)
        tell(scope, rate, standing, alone=True)
        return self._refused(rate, standing)

    def _applying(self, names: Iterable[str]) -> tuple[InboundRate, ...]:
        return tuple(rate for rate in self.counted_plainly if rate.name in names)

    def _count(self, scope: Scope, rate: InboundRate, holder: str) -> None:
        standing = self.windows.take(window_key(rate.name, holder), rate.requests, rate.seconds)
        if not standing.taken:
            raise self.refusal(scope, rate, holder)
        tell(scope, rate, standing)

    def _count_unseen(self, rate: InboundRate, holder: str) -> None:
        """Count where no response tells of it."""
        standing = self.windows.take(window_key(rate.name, holder), rate.requests, rate.seconds)
        if not standing.taken:
            raise self._refused(rate, standing)

    def tell(self, scope: Scope, rate: InboundRate, holder: str) -> None:
        """Have the response tell where this holder stands."""
        standing = self.windows.standing(window_key(rate.name, holder), rate.requests, rate.seconds)
        tell(scope, rate, standing)

    def _too_many_failures(self, scope: Scope, rate: InboundRate, address: str) -> RateLimited:
        standing = self._failures.standing(address, rate.requests, rate.seconds)
        tell(scope, rate, standing, alone=True)
        return self._refused(rate, standing)

    def _refused(self, rate: InboundRate, standing: Standing) -> RateLimited:
        self._counts.refused(rate.name)
        return _refusal(rate, standing.reset_s)


def window_key(name: str, holder: str) -> str:
    """What a request is counted under: the limit and whose it is."""
    return f"{name}:{holder}"


def address_of(connection: HTTPConnection) -> str:
    """Where a request comes from; all addresses of one IPv6 network are one."""
    return "" if connection.client is None else _site_of(connection.client.host)


def inbound_limits_of(connection: HTTPConnection) -> InboundLimits:
    """The limits of the application that handles this request."""
    return connection.app.state.inbound_limits


@lru_cache(maxsize=4096)
def _site_of(host: str) -> str:
    try:
        address: IPv4Address | IPv6Address = ip_address(host)
    except ValueError:  # a proxy passed on what is no address
        return ""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is None:
            return str(ip_network((address.packed, _IPV6_SITE), strict=False))
        address = address.ipv4_mapped
    return str(address)


def _refusal(rate: InboundRate, wait_s: float) -> RateLimited:
    noun = {FAILED: "invalid credentials", ANONYMOUS: "requests without a credential"}
    told = noun.get(rate.name, "requests")
    seconds = f"{rate.seconds:g} seconds"
    return RateLimited(
        f"Too many {told}: the limit {rate.name} allows {rate.requests:,} in {seconds}. Try again "
        "when the seconds of Retry-After have passed.",
        details={"limit": rate.name},
        retry_after=wait_s,
    )

"""Calls of services that serve no models: by what the caller may, when its turn comes, who pays."""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import Final, TypeVar

from cartrita.domain.credentials import CallCredential, unreadable
from cartrita.domain.errors import (
    NotFound,
    UpstreamCut,
    UpstreamError,
    UpstreamLimited,
    UpstreamOverloaded,
)
from cartrita.domain.ledger import ToolSpending
from cartrita.domain.ports.credentials import CallCredentials
from cartrita.domain.ports.services import Service
from cartrita.domain.principals import Principal
from cartrita.gateway.limiting import Limiter
from cartrita.gateway.paid_providers import CredentialUse, CredentialUses, tell_owner
from cartrita.gateway.service_metering import ServiceCall, ServiceMeter

S = TypeVar("S", bound=Service)
R = TypeVar("R")

_ATTEMPTS: Final = 2
_SECONDS: Final = 60.0


class ServiceCalls:
    """Calls services for callers, under the same limits and credentials as model providers.

    What fails in passing is tried twice. No attempt begins `seconds` after the first. `meter`
    reports each to the ledger.
    """

    def __init__(
        self,
        limiter: Limiter,
        credentials: CallCredentials,
        uses: CredentialUses,
        *,
        meter: ServiceMeter | None = None,
        seconds: float = _SECONDS,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        rng: Random | None = None,
    ) -> None:
        self._limiter = limiter
        self._credentials = credentials
        self._uses = uses
        self._meter = meter or ServiceMeter()
        self._seconds = seconds
        self._sleep = sleep
        self._rng = rng or Random()  # noqa: S311 - jitter needs no secure randomness

    async def paid_by(self, principal: Principal, service: Service) -> bool:
        """Whether the service would be called with a key."""
        paying = await self._credentials.of(principal.payer)
        return service.has_key or service.name in paying

    async def ask(
        self,
        principal: Principal,
        service: S,
        ask: Callable[[S], Awaitable[R]],
        spending: ToolSpending | None = None,
    ) -> R:
        """What `ask` returns when it is given the service with the key of whoever pays.

        Raises Forbidden, NotFound where a key is missing, RateLimited, BudgetExhausted,
        Unavailable, and what `ask` does.
        """
        name = service.name
        principal.scopes.require_provider(name)
        credentials = await self._credentials.of(principal.payer)
        call = ServiceCall(
            owner_id=principal.owner_id,
            key_id=principal.key_id,
            tenant_id=principal.tenant_id,
            spending=spending,
            credentials=credentials,
        )
        paying = credentials.get(name)
        if service.needs_key and not service.has_key and paying is None:
            raise no_key(name)
        if paying is not None and not paying.key:
            raise unreadable()
        paid = service.has_key or paying is not None
        grants = self._limiter.grants(call, self._limiter.now() + self._seconds)
        attempts = 0
        while True:
            try:
                async with self._meter.request(call, name, paid=paid) as metered:
                    await grants.take(name)
                    metered.begin()
                    return await self._once(service, paying, ask)
            except UpstreamError as error:
                grants.failed(name, error)
                attempts += 1
                if attempts == _ATTEMPTS or not self._passes(error):
                    raise
            await self._sleep(self._rng.uniform(0.1, 0.4))

    async def _once(
        self, service: S, paying: CallCredential | None, ask: Callable[[S], Awaitable[R]]
    ) -> R:
        if paying is None:
            return await ask(service)
        with CredentialUse(self._uses, paying.id):
            try:
                return await ask(service.with_key(paying.key))
            except UpstreamError as error:
                if not paying.shared:
                    tell_owner(error)
                raise

    def _passes(self, error: UpstreamError) -> bool:
        """Whether another attempt, after a short pause or in its next turn, may succeed."""
        if isinstance(error, UpstreamLimited):
            wait = error.retry_after
            return wait is not None and wait <= self._limiter.policy.patience
        return isinstance(error, UpstreamOverloaded | UpstreamCut) and error.retryable


def no_key(name: str) -> NotFound:
    """The error of a service that is not called without a key."""
    return NotFound(
        f"{name} has no key here; set {name.upper()}_API_KEY, or store one of your own with "
        "POST /api/credentials.",
        code="provider_not_configured",
    )

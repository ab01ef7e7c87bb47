"""Calls of services that serve no models: by what the caller may, when its turn comes, who pays."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from random import Random
from typing import Final, TypeVar

from cartrita.domain.credentials import CallCredential, CredentialsByProvider, unreadable
from cartrita.domain.errors import (
    NotFound,
    UpstreamCut,
    UpstreamError,
    UpstreamLimited,
    UpstreamOverloaded,
)
from cartrita.domain.ledger import NO_USE, ServiceUse, ToolSpending
from cartrita.domain.ports.credentials import CallCredentials
from cartrita.domain.ports.services import Service
from cartrita.domain.principals import Principal
from cartrita.gateway.limiting import CallGrants, Limiter
from cartrita.gateway.paid_providers import CredentialUse, CredentialUses, tell_owner
from cartrita.gateway.service_metering import SEARCH, MeteredRequest, ServiceCall, ServiceMeter

S = TypeVar("S", bound=Service)
R = TypeVar("R")

_ATTEMPTS: Final = 2
_SECONDS: Final = 60.0


def _nothing(request: MeteredRequest, result: object) -> None:
    """What is to be noted of requests that are all alike."""


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
        *,
        operation: str = SEARCH,
        model: str | None = None,
        expected: ServiceUse = NO_USE,
        note: Callable[[MeteredRequest, R], None] = _nothing,
    ) -> R:
        """What `ask` returns when it is given the service with the key of whoever pays.

        `note` tells the request what was used for it, and `expected` about how much that will be.
        Raises Forbidden, NotFound where a key is missing, RateLimited, BudgetExhausted,
        Unavailable, and what `ask` does.
        """

        @asynccontextmanager
        async def asked(service: S) -> AsyncGenerator[R]:
            yield await ask(service)

        opening = self.open(
            principal,
            service,
            asked,
            spending,
            operation=operation,
            model=model,
            expected=expected,
        )
        async with opening as (result, request):
            note(request, result)
            return result

    @asynccontextmanager
    async def open(
        self,
        principal: Principal,
        service: S,
        open_: Callable[[S], AbstractAsyncContextManager[R]],
        spending: ToolSpending | None = None,
        *,
        operation: str,
        model: str | None = None,
        text: str = "",
        expected: ServiceUse = NO_USE,
        stretch: ServiceUse = NO_USE,
    ) -> AsyncGenerator[tuple[R, MeteredRequest]]:
        """A context of what `open_` opens, as `ask`, and of the request that is told what it uses.

        Its trace tells the `model` that does it, if that is known, and the `text` to be spoken.

        One that is open for long is paid for in stretches, see `MeteredRequest.cover`. Once it is
        open, it is not tried again: what fails after that is raised.
        """
        principal.scopes.require_provider(service.name)
        trace = self._meter.trace(principal, service.name, operation)
        call = ServiceCall(
            owner_id=principal.owner_id,
            key_id=principal.key_id,
            tenant_id=principal.tenant_id,
            operation=operation,
            expected=expected,
            stretch=stretch,
            spending=spending,
            credentials=await self._credentials.of(principal.payer),
            trace=trace,
        )
        paying = _paying(service, call.credentials)
        grants = self._limiter.grants(call, self._limiter.now() + self._seconds)

        @asynccontextmanager
        async def attempt() -> AsyncGenerator[tuple[R, MeteredRequest]]:
            paid = service.has_key or paying is not None
            async with self._meter.request(call, service.name, paid=paid) as metered:
                await grants.take(service.name)
                metered.begin()
                if text:
                    metered.sent(text)
                async with self._keyed(service, paying, open_) as opened:
                    yield opened, metered

        async with AsyncExitStack() as stack:
            if trace is not None:
                trace.model = model
                stack.push(trace.ended)
            yield await self._attempted(stack, attempt, service.name, grants)

    async def _attempted(
        self,
        stack: AsyncExitStack,
        attempt: Callable[[], AbstractAsyncContextManager[R]],
        name: str,
        grants: CallGrants,
    ) -> R:
        """What the first attempt opens that succeeds, until the stack is left."""
        attempts = 0
        while True:
            try:
                return await stack.enter_async_context(attempt())
            except UpstreamError as error:
                grants.failed(name, error)
                attempts += 1
                if attempts == _ATTEMPTS or not self._passes(error):
                    raise
            await self._sleep(self._rng.uniform(0.1, 0.4))

    @asynccontextmanager
    async def _keyed(
        self,
        service: S,
        paying: CallCredential | None,
        open_: Callable[[S], AbstractAsyncContextManager[R]],
    ) -> AsyncGenerator[R]:
        if paying is None:
            async with open_(service) as opened:
                yield opened
            return
        with CredentialUse(self._uses, paying.id):
            try:
                async with open_(service.with_key(paying.key)) as opened:
                    yield opened
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


def _paying(service: Service, credentials: CredentialsByProvider) -> CallCredential | None:
    """The caller's credential for a service, if there is one. Raises NotFound, and Unavailable."""
    paying = credentials.get(service.name)
    if service.needs_key and not service.has_key and paying is None:
        raise no_key(service.name)
    if paying is not None and not paying.key:
        raise unreadable()
    return paying


def no_key(name: str) -> NotFound:
    """The error of a service that is not called without a key."""
    return NotFound(
        f"{name} has no key here; set {name.upper()}_API_KEY, or store one of your own with "
        "POST /api/credentials.",
        code="provider_not_configured",
    )

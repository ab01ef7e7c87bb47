"""The gateway: lists models, resolves their names and answers calls of them."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from random import Random
from typing import TypeGuard

from msgspec.structs import replace

from cartrita.domain.models import ModelInfo
from cartrita.domain.ports.providers import ModelProvider, RelayProvider
from cartrita.domain.relays import DIALECTS
from cartrita.gateway.answering import Answering
from cartrita.gateway.answers import Answer, Call, Relayable
from cartrita.gateway.catalog import Catalog
from cartrita.gateway.failover import FailoverProvider
from cartrita.gateway.legs import Leg, RelayedLeg, TranslatedLeg
from cartrita.gateway.metering import Meter
from cartrita.gateway.retry import Attempts, RetryPolicy
from cartrita.gateway.routes import Deployment


class Gateway:
    """Access to all models. `retry` applies to each call, and `meter` reports it."""

    def __init__(
        self,
        catalog: Catalog,
        retry: RetryPolicy | None = None,
        *,
        meter: Meter | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
        rng: Random | None = None,
    ) -> None:
        self._catalog = catalog
        self._retry = retry or RetryPolicy()
        self._meter = meter or Meter()
        self._sleep = sleep
        self._clock = clock
        self._rng = rng or Random()  # noqa: S311 - jitter needs no secure randomness

    async def models(self) -> list[ModelInfo]:
        """The models of all providers."""
        return await self._catalog.models()

    async def resolve(self, provider: str | None, model: str | None) -> Deployment:
        """The deployment that answers a request for this provider and model; each may be None.

        Raises NotFound and Unavailable.
        """
        return await self._catalog.resolve(provider, model)

    def provider_for(self, deployment: Deployment) -> ModelProvider:
        """A provider that answers requests for this deployment as `open` does. Raises NotFound."""
        self._catalog.provider(deployment.provider)
        return FailoverProvider(self, deployment)

    @asynccontextmanager
    async def open(self, call: Call) -> AsyncGenerator[Answer]:
        """The answer to a call, of which something has arrived.

        What fails before that is repeated, and given to other deployments, unseen. Leaving the
        context closes the upstream call at once. Raises CartritaError.
        """
        deployment = await self._catalog.resolve(call.provider, call.name)
        attempts = Attempts(
            (deployment,), self._retry, seconds=call.seconds, clock=self._clock, rng=self._rng
        )
        async with AsyncExitStack() as legs:
            answer = Answering(call, lambda one: self._create_leg(call, one), self._sleep, legs)
            async with aclosing(answer.items):
                await answer.begin(attempts)
                yield answer

    def _create_leg(self, call: Call, deployment: Deployment) -> Leg:
        provider = self._catalog.provider(deployment.provider)
        metered = self._meter.start(call, deployment)
        if call.relay is not None and _relays(provider, call.relay):
            return RelayedLeg(provider, call.relay, metered, self._retry.last_bytes)
        request = replace(call.parse(), model=deployment.model, strict=call.strict)
        return TranslatedLeg(provider, request, metered)


def _relays(provider: ModelProvider, relayable: Relayable) -> TypeGuard[RelayProvider]:
    """Whether the provider can be sent the request as it is."""
    dialects: frozenset[str] = getattr(provider, "dialects", frozenset())
    return DIALECTS[relayable.endpoint] in dialects

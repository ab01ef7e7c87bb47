"""The gateway: lists models, resolves their names and answers calls of them."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager
from functools import partial
from random import Random
from types import CoroutineType, TracebackType
from typing import Any

from msgspec.structs import replace

from cartrita.domain.credentials import NO_CREDENTIALS, CredentialsByProvider, Payer
from cartrita.domain.errors import InvalidInput
from cartrita.domain.models import ModelInfo, ModelProfile
from cartrita.domain.ports.answer_cache import AnswerCache
from cartrita.domain.ports.credentials import CallCredentials
from cartrita.domain.ports.metrics import ProviderCounts
from cartrita.domain.ports.providers import ModelProvider
from cartrita.domain.scopes import UNLIMITED, Operation, Scopes
from cartrita.domain.uncounted import UNCOUNTED
from cartrita.gateway.answers import Answer
from cartrita.gateway.cache_keys import body_key, cache_key, is_cacheable
from cartrita.gateway.calls import Call
from cartrita.gateway.catalog import Catalog
from cartrita.gateway.gateway_provider import Caller, GatewayProvider
from cartrita.gateway.health import DeploymentHealth, Health, HealthPolicy
from cartrita.gateway.limiting import Limiter
from cartrita.gateway.memory_cache import MemoryCache
from cartrita.gateway.metering import Meter
from cartrita.gateway.paid_providers import CredentialUses
from cartrita.gateway.permissions import require_allowed
from cartrita.gateway.retry import RetryPolicy
from cartrita.gateway.routed_answers import RoutedAnswer
from cartrita.gateway.routes import Deployment, Route
from cartrita.gateway.routing import Choice, Plan, Router
from cartrita.gateway.shared_answers import SharedAnswers
from cartrita.gateway.traced_replays import open_traced
from cartrita.gateway.upstreams import Upstreams


class Gateway:
    """Access to all models. `retry` applies to each call, and `meter` reports it.

    `limiter` says when the calls of a provider may begin.

    Answers are kept in `cache`, for `cache_ttl` seconds where nobody says for how long. Who wants
    the answer that another caller gets does not wait for that caller to read it for more than
    `cache_patience` seconds. `credentials` tell who pays for calls where it is not the server, and
    `uses` which they pay now. `counts` counts how they go.
    """

    def __init__(
        self,
        catalog: Catalog,
        retry: RetryPolicy | None = None,
        *,
        routes: Mapping[str, Route] | None = None,
        health: HealthPolicy | None = None,
        meter: Meter | None = None,
        limiter: Limiter | None = None,
        cache: AnswerCache | None = None,
        cache_ttl: float = 300.0,
        cache_patience: float = 5.0,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
        rng: Random | None = None,
        credentials: CallCredentials | None = None,
        uses: CredentialUses | None = None,
        counts: ProviderCounts = UNCOUNTED,
    ) -> None:
        self._catalog = catalog
        self._credentials = credentials
        self._shared = SharedAnswers(
            cache or MemoryCache(clock=clock), patience=cache_patience, counts=counts
        )
        self._cache_ttl = cache_ttl
        self._health = Health(health, clock)
        self._router = Router(catalog, self._health, routes)
        meter = meter or Meter(clock=clock)
        self._tracer = meter.tracer
        self._key_tokens = meter.key_tokens
        self._upstreams = Upstreams(
            catalog,
            retry or RetryPolicy(),
            self._health,
            meter,
            limiter or Limiter(clock=clock),
            sleep=sleep,
            clock=clock,
            rng=rng,
            uses=uses,
            counts=counts,
        )

    async def run(self) -> None:
        """Refresh lists of models beside the calls that need them, until cancelled."""
        await self._catalog.run()

    async def models(self, scopes: Scopes = UNLIMITED) -> list[ModelInfo]:
        """The models of all providers that a key with these scopes may call."""
        found = await self._catalog.models()
        if not scopes.limited:
            return found
        return [model for model in found if scopes.allows_model(model.provider, model.name)]

    async def routes(
        self, scopes: Scopes = UNLIMITED, payer: Payer | None = None
    ) -> tuple[str, ...]:
        """The names of the routes that have a provider here, which may be called."""
        return await self._router.names(scopes, await self._paid(payer))

    def health(self) -> tuple[DeploymentHealth, ...]:
        """The deployments whose last call failed."""
        return self._health.snapshot()

    async def choose(
        self,
        provider: str | None,
        model: str | None,
        scopes: Scopes = UNLIMITED,
        payer: Payer | None = None,
        needing: Collection[str] = (),
    ) -> Choice:
        """The deployment, and the route, that answer a request for these; each may be None.

        Of a route it is the first that is not known to lack the capabilities it needs, if any.
        Raises NotFound and Unavailable, and Forbidden where the scopes do not allow to ask it.
        """
        scopes.require_operation(Operation.CHAT)
        paid = await self._paid(payer)
        return await self._router.choose(provider, model, scopes, paid, needing)

    async def resolve(
        self,
        provider: str | None,
        model: str | None,
        scopes: Scopes = UNLIMITED,
        payer: Payer | None = None,
    ) -> Deployment:
        """The deployment that answers a request for these; of a route it is the first.

        Raises NotFound, Unavailable and Forbidden.
        """
        paid = await self._paid(payer)
        return (await self._router.choose(provider, model, scopes, paid)).deployment

    def knows(self, provider: str, model: str) -> bool:
        """Whether a provider lists this model, or has it as its default: nobody made it up.

        A provider that has not listed its models yet is asked to, beside all else.
        """
        return self._catalog.knows(Deployment(provider, model))

    def guessed(self, name: str, deployment: Deployment) -> bool:
        """Whether nobody knows that the deployment is what this name stands for."""
        return self._catalog.guessed(name, deployment)

    def profile(self, deployment: Deployment) -> ModelProfile:
        """What a model can do, as far as is known now."""
        return self._catalog.profile(deployment)

    def provider_for(
        self, deployment: Deployment, *, route: str | None = None, caller: Caller | None = None
    ) -> ModelProvider:
        """A provider that answers requests for this deployment, or for a route, as `open` does."""
        return GatewayProvider(self, deployment, route=route, caller=caller or Caller())

    def open(self, call: Call) -> AbstractAsyncContextManager[Answer]:
        """The answer to a call, of which something has arrived.

        What fails before that is repeated, and given to other deployments, unseen. An answer that
        breaks off is continued where it can be. Leaving the context closes the upstream call at
        once. Raises CartritaError.
        """
        return _Opening(self._answer, call)

    async def _answer(self, call: Call) -> AbstractAsyncContextManager[Answer]:
        if call.scopes is not UNLIMITED:
            await require_allowed(call)
            self._key_tokens.require_left(call)
        if stored := await self._paid(Payer(call.tenant_id, call.owner_id)):
            call = replace(call, credentials={**stored, **call.credentials})
        call = self._upstreams.traced(call)
        relays = self._upstreams.relaying(call)
        plan = await self._router.plan(
            call.provider, call.name, call.read, relays, call.scopes, call.credentials
        )
        plan = self._upstreams.payable(call, plan)
        ttl = self._ttl(call, plan)
        return await self._share(call, plan, ttl) if ttl else self._ask(call, plan)

    async def _paid(self, payer: Payer | None) -> CredentialsByProvider:
        if self._credentials is None or payer is None:
            return NO_CREDENTIALS
        return await self._credentials.of(payer)

    def _ask(self, call: Call, plan: Plan) -> RoutedAnswer:
        return RoutedAnswer(call, plan, self._upstreams)

    async def _share(
        self, call: Call, plan: Plan, ttl: float
    ) -> AbstractAsyncContextManager[Answer]:
        try:
            request = await call.read()
        except InvalidInput:  # only its provider understands it, or refuses it in its own words
            return self._ask(call, plan)
        if not is_cacheable(request):
            return self._ask(call, plan)
        request = replace(request, owner_id=call.owner_id, strict=call.strict)
        key = cache_key(request, _answerers(call, plan), call.relay)
        # Of the name that was asked for: a relayed answer repeats it.
        body = None if call.relay is None else body_key(call.relay.rewrite(call.name))
        share = partial(self._shared.open, key, ttl, body)
        ask = partial(self._ask, call, plan)
        if self._tracer is None or call.traced_for is None:
            return share(ask)
        return open_traced(self._tracer, call.traced_for, call, share, ask)

    def _ttl(self, call: Call, plan: Plan) -> float:
        """For how many seconds the answer may be kept; 0 if it may not be."""
        if not call.cacheable:
            return 0.0
        if call.cache is None:
            return plan.cache_ttl or 0.0
        return (plan.cache_ttl or self._cache_ttl) if call.cache.ttl is None else call.cache.ttl


def _answerers(call: Call, plan: Plan) -> str:
    """Who may have given an answer that is kept: with a limited key not all of the route."""
    if plan.route is not None and not call.scopes.limited:
        return plan.route
    return ",".join(sorted(one.id for one in plan.deployments))


class _Opening:
    """Opens an answer when its plan is made; a generator's context would cost twice as much."""

    __slots__ = ("_answer", "_call", "_opened")

    def __init__(
        self, answer: Callable[[Call], Awaitable[AbstractAsyncContextManager[Answer]]], call: Call
    ) -> None:
        self._answer = answer
        self._call = call

    async def __aenter__(self) -> Answer:
        self._opened = await self._answer(self._call)
        return await self._opened.__aenter__()

    def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> "CoroutineType[Any, Any, bool | None]":
        return self._opened.__aexit__(kind, error, trace)

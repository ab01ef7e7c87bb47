"""Upstreams: how one answer's calls of deployments are made."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from random import Random

from msgspec.structs import replace

from cartrita.domain.credentials import unreadable
from cartrita.domain.errors import EndpointMissing, UpstreamError
from cartrita.domain.failovers import Failover
from cartrita.domain.ports.metrics import ProviderCounts
from cartrita.domain.ports.providers import ModelProvider, can_relay, takes_keys
from cartrita.domain.relays import DIALECTS, Endpoint
from cartrita.domain.scopes import UNLIMITED
from cartrita.domain.uncounted import UNCOUNTED
from cartrita.gateway.call_tracing import note_answer, traced
from cartrita.gateway.calls import Call
from cartrita.gateway.catalog import Catalog
from cartrita.gateway.continuation import INSTRUCTION, BrokenAnswer
from cartrita.gateway.continued_legs import ContinuedLeg
from cartrita.gateway.health import Health
from cartrita.gateway.legs import Leg
from cartrita.gateway.limiting import Limiter
from cartrita.gateway.metering import Meter
from cartrita.gateway.paid_providers import CredentialUses, PaidProvider
from cartrita.gateway.profiles import find_profile
from cartrita.gateway.relayed_legs import RelayedLeg
from cartrita.gateway.retry import Attempts, RetryPolicy
from cartrita.gateway.routes import Deployment
from cartrita.gateway.routing import Plan
from cartrita.gateway.translated_legs import TranslatedLeg
from cartrita.kit.remembered import Remembered

_MISSING_SECONDS = 600.0


class Upstreams:
    """Makes the legs of answers, and the attempts at them."""

    def __init__(
        self,
        catalog: Catalog,
        policy: RetryPolicy,
        health: Health,
        meter: Meter,
        limiter: Limiter,
        *,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
        rng: Random | None = None,
        uses: CredentialUses | None = None,
        counts: ProviderCounts = UNCOUNTED,
    ) -> None:
        self._catalog = catalog
        self._uses = uses or CredentialUses()
        self._meter = meter
        self._clock = clock
        self._rng = rng or Random()  # noqa: S311 - jitter needs no secure randomness
        self._missing = Remembered[tuple[Deployment, Endpoint]](_MISSING_SECONDS, clock=clock)
        self.policy = policy
        self.health = health
        self.limiter = limiter
        self.sleep = sleep
        self.counts = counts

    def deadline(self, call: Call) -> float:
        """The moment after which no attempt at this call begins."""
        longest = self.policy.deadline
        return self._clock() + (longest if call.seconds is None else min(call.seconds, longest))

    def attempts(self, deployments: Sequence[Deployment], latest: float) -> Attempts:
        """Attempts by these deployments, none of which begins after the moment `latest`."""
        return Attempts(deployments, self.policy, latest=latest, clock=self._clock, rng=self._rng)

    def traced(self, call: Call) -> Call:
        """The call, with for whom it is traced if it is."""
        return traced(call, self._meter.tracer)

    def note_answer(
        self,
        call: Call,
        provider: str | None,
        failovers: tuple[Failover, ...],
        error: BaseException | None,
        *,
        complete: bool,
    ) -> None:
        """Tell the trace of a call that it is over."""
        if call.traced_for is not None and self._meter.tracer is not None:
            note_answer(self._meter.tracer, call, provider, failovers, error, complete=complete)

    def payable(self, call: Call, plan: Plan) -> Plan:
        """The plan without deployments that the caller's budgets cannot pay. Raises Forbidden."""
        budgets = self._meter.budgets
        if budgets is None:
            return plan
        deployments = budgets.payable(call, plan.deployments)
        if deployments is plan.deployments:
            return plan
        return replace(plan, deployments=tuple(deployments))

    def relaying(self, call: Call) -> Callable[[str], bool] | None:
        """Which providers take a call that is only passed on; None for any other call."""
        if call.relay is None or not call.relay_only:
            return None
        dialect = DIALECTS[call.relay.endpoint]
        return lambda name: can_relay(self._catalog.provider(name, call.credentials), dialect)

    async def leg(self, call: Call, deployment: Deployment) -> Leg:
        """A call of this deployment, relayed if it can be. Raises NotFound and Forbidden."""
        if call.scopes is not UNLIMITED:
            call.scopes.require_model(deployment.provider, deployment.model)
        if call.said:
            broken = BrokenAnswer(await call.read(), call.said)
            return await self.continued_leg(call, broken, deployment)
        provider = self._provider(call, deployment)
        metered = self._meter.start(call, deployment)
        if (
            call.relay is not None
            and (deployment, call.relay.endpoint) not in self._missing
            and can_relay(provider, DIALECTS[call.relay.endpoint])
        ):
            return RelayedLeg(provider, call.relay, metered, self.policy.last_bytes)
        request = replace(await call.read(), model=deployment.model, strict=call.strict)
        return TranslatedLeg(provider, request, metered)

    def failed(self, call: Call, deployment: Deployment, error: UpstreamError) -> None:
        """A call of this deployment failed before anything of its answer had arrived."""
        if isinstance(error, EndpointMissing) and call.relay is not None:
            self._missing.add((deployment, call.relay.endpoint))
        caller, credential = call.key_id or call.owner_id, call.credential_at(deployment.provider)
        self.health.failed(deployment, error, caller, credential)
        self.counts.failed(deployment.provider, error.default_code)

    def broke_off(self, call: Call, deployment: Deployment, error: UpstreamError) -> None:
        """An answer of this deployment, of which something had arrived, broke off."""
        credential = call.credential_at(deployment.provider)
        self.health.failed(deployment, error, credential=credential)
        self.counts.failed(deployment.provider, error.default_code)

    async def continued_leg(self, call: Call, broken: BrokenAnswer, deployment: Deployment) -> Leg:
        """A call of this deployment that goes on with a broken answer. Raises Forbidden."""
        call.scopes.require_model(deployment.provider, deployment.model)
        provider = self._provider(call, deployment)
        manner = find_profile(deployment.model).continues or INSTRUCTION
        metered = self._meter.start(call, deployment, broken.said)
        request = replace(broken.request(deployment, manner), strict=call.strict)
        return ContinuedLeg(TranslatedLeg(provider, request, metered), broken, broken.seam(manner))

    def _provider(self, call: Call, deployment: Deployment) -> ModelProvider:
        """The provider, with the key of whoever pays. Raises NotFound and Unavailable."""
        provider = self._catalog.provider(deployment.provider, call.credentials)
        paying = call.credentials.get(deployment.provider)
        if paying is None or not takes_keys(provider):
            return provider
        if not paying.key:
            raise unreadable()
        return PaidProvider(provider, paying, self._uses)

"""The gateway: the opened providers, and the offline model after them."""

from collections.abc import Sequence

from cartrita.adapters.providers.offline.provider import ASSISTANT, Offline
from cartrita.application.credentials.provider_checks import CheckedProvider
from cartrita.assembly.providers import OpenedProvider, setup_hints
from cartrita.domain.ports.answer_cache import AnswerCache
from cartrita.domain.ports.credentials import CallCredentials
from cartrita.domain.ports.metrics import ProviderCounts
from cartrita.domain.ports.search import PassageSearch
from cartrita.domain.provider_checks import ProviderSummary
from cartrita.gateway.catalog import Catalog, ProviderEntry, ProviderOrigin
from cartrita.gateway.gateway import Gateway
from cartrita.gateway.health import HealthPolicy
from cartrita.gateway.limiting import Limiter
from cartrita.gateway.metering import Meter
from cartrita.gateway.paid_providers import CredentialUses
from cartrita.gateway.retry import RetryPolicy
from cartrita.gateway.routes import ROUTES, Route, Target
from cartrita.settings import Settings
from cartrita.settings.routes import Routes


def create_offline(settings: Settings, search: PassageSearch) -> OpenedProvider:
    """The built-in model, which answers if nothing else is there."""
    offline = Offline(
        search,
        script_file=settings.offline.script,
        token_delay_s=settings.offline.token_delay_s,
    )
    origin = ProviderOrigin.OFFLINE
    entry = ProviderEntry(provider=offline, origin=origin, default_model=ASSISTANT)
    summary = ProviderSummary(name=offline.name, default_model=ASSISTANT)
    return OpenedProvider(entry, CheckedProvider(summary, offline))


def create_gateway(
    settings: Settings,
    providers: Sequence[OpenedProvider],
    unpaid: Sequence[OpenedProvider],
    meter: Meter,
    cache: AnswerCache,
    credentials: CallCredentials,
    uses: CredentialUses,
    limiter: Limiter,
    counts: ProviderCounts,
) -> Gateway:
    """The gateway over these providers, in order of preference, and those that callers can pay."""
    config = settings.providers
    catalog = Catalog(
        [one.entry for one in providers],
        unpaid=[one.entry for one in unpaid],
        default_model=config.default_model,
        route_names=(*ROUTES, *(route.name for route in settings.routes.entries)),
        first_wait_s=config.list_wait_s,
        unconfigured=setup_hints(settings, {one.summary.name for one in providers}),
    )
    return Gateway(
        catalog,
        _retry_policy(settings),
        routes=_routes(settings.routes),
        health=_health_policy(settings.routes),
        meter=meter,
        limiter=limiter,
        cache=cache,
        cache_ttl=settings.cache.ttl_s,
        cache_patience=settings.cache.patience_s,
        credentials=credentials,
        uses=uses,
        counts=counts,
    )


def _retry_policy(settings: Settings) -> RetryPolicy:
    config = settings.routes
    return RetryPolicy(
        attempts=config.attempts,
        first_pause=config.first_pause_s,
        longest_pause=config.longest_pause_s,
        deadline=settings.providers.total_timeout_s,
        continuations=config.continuations,
    )


def _health_policy(config: Routes) -> HealthPolicy:
    return HealthPolicy(
        failures=config.ejection_failures,
        ejection=config.ejection_s,
        longest_ejection=config.longest_ejection_s,
        exhausted=config.exhausted_s,
    )


def _routes(config: Routes) -> dict[str, Route]:
    return {
        route.name: Route(
            targets=tuple(Target(one.model, one.weight) for one in route.deployments),
            continue_with=route.continue_with,
            cache_ttl=route.cache_ttl_s,
        )
        for route in config.entries
    }

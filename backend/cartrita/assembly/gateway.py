"""The gateway: configured providers, model servers on this machine, and the offline model."""

from cartrita.adapters.providers.discovery import ServerAddress, discover
from cartrita.adapters.providers.http import HttpClient
from cartrita.adapters.providers.offline.provider import ASSISTANT, Offline
from cartrita.adapters.providers.registry import PROVIDERS, provider_spec
from cartrita.assembly.providers import BY_URL, ProviderCreation
from cartrita.domain.ports.search import PassageSearch
from cartrita.gateway.catalog import Catalog, ProviderEntry, ProviderOrigin
from cartrita.gateway.gateway import Gateway
from cartrita.gateway.health import HealthPolicy
from cartrita.gateway.metering import Meter
from cartrita.gateway.retry import RetryPolicy
from cartrita.gateway.routes import ROUTES, Route, Target
from cartrita.settings import Settings
from cartrita.settings.providers import ConfiguredProvider
from cartrita.settings.routes import Routes


async def create_gateway(
    settings: Settings, http: HttpClient, search: PassageSearch, meter: Meter
) -> Gateway:
    """The gateway over every provider that can answer, in order of preference."""
    config = settings.providers
    creation = ProviderCreation(settings, http)
    entries = [
        ProviderEntry(
            provider=creation.create(configured),
            origin=_origin(settings, configured),
            default_model=configured.default_model or provider_spec(configured.name).default_model,
            model_prefixes=provider_spec(configured.name).model_prefixes,
        )
        for configured in config.entries
    ]
    if config.discover_local:
        names = {entry.provider.name for entry in entries}
        entries += await _discover_entries(settings, http, creation, known=names)
    offline = Offline(
        search,
        script_file=settings.offline.script,
        token_delay_s=settings.offline.token_delay_s,
    )
    origin = ProviderOrigin.OFFLINE
    entries.append(ProviderEntry(provider=offline, origin=origin, default_model=ASSISTANT))
    unconfigured = _setup_hints({entry.provider.name for entry in entries})
    catalog = Catalog(
        entries,
        default_model=config.default_model,
        route_names=(*ROUTES, *(route.name for route in settings.routes.entries)),
        unconfigured=unconfigured,
    )
    return Gateway(
        catalog,
        _retry_policy(settings),
        routes=_routes(settings.routes),
        health=_health_policy(settings.routes),
        meter=meter,
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


def _origin(settings: Settings, configured: ConfiguredProvider) -> ProviderOrigin:
    if configured.name in (settings.providers.api_provider, BY_URL):
        return ProviderOrigin.SELECTED
    if configured.api_key or not provider_spec(configured.name).local:
        return ProviderOrigin.API_KEY
    return ProviderOrigin.LOCAL


def _setup_hints(present: set[str]) -> dict[str, str]:
    """How to configure each known provider that is absent, for whoever asks for it."""
    hints: dict[str, str] = {}
    for name, spec in PROVIDERS.items():
        if name in present:
            continue
        if spec.local:
            hints[name] = f"There is no {name} on this machine; set {spec.url_variables[0]}."
        elif not spec.base_url:
            hints[name] = f"{name} has no address here; set {spec.url_variables[0]}."
        else:
            hints[name] = f"{name} has no key here; set {spec.key_variables[0]}."
    return hints


async def _discover_entries(
    settings: Settings, http: HttpClient, creation: ProviderCreation, known: set[str]
) -> list[ProviderEntry]:
    """Model servers on this machine that nobody configured."""
    config = settings.providers
    addresses = [ServerAddress(server.name, server.port) for server in config.discover_ports]
    servers = await discover(
        http,
        [address for address in addresses if address.name not in known],
        own_port=settings.server.port,
        timeout=config.discover_timeout_s,
    )
    found = [
        ConfiguredProvider(name=server.name, dialect="openai_chat", base_url=server.base_url)
        for server in servers
    ]
    return [
        ProviderEntry(provider=creation.create(configured), origin=ProviderOrigin.LOCAL)
        for configured in found
    ]

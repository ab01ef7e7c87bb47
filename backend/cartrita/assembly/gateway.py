"""The gateway: configured providers, model servers on this machine, and the offline model."""

from msgspec.structs import replace

from cartrita.adapters.providers.discovery import ServerAddress, discover
from cartrita.adapters.providers.factory import CONSTRUCTORS, ProviderOptions, create_provider
from cartrita.adapters.providers.http import HttpClient
from cartrita.adapters.providers.offline.provider import ASSISTANT, Offline
from cartrita.adapters.providers.registry import PROVIDERS, provider_spec
from cartrita.adapters.providers.transport import Deadlines
from cartrita.domain.ports.providers import ModelProvider
from cartrita.domain.ports.search import PassageSearch
from cartrita.gateway.catalog import Catalog, ProviderEntry, ProviderOrigin
from cartrita.gateway.gateway import Gateway
from cartrita.gateway.retry import RetryPolicy
from cartrita.settings import Settings
from cartrita.settings.providers import ConfiguredProvider

_BY_URL = "oca"
"""The provider that LLM_API_URL configures: setting that variable selects it."""


async def create_gateway(settings: Settings, http: HttpClient, search: PassageSearch) -> Gateway:
    """The gateway over every provider that can answer, in order of preference."""
    config = settings.providers
    entries = [
        ProviderEntry(
            provider=_create_provider(settings, http, configured),
            origin=_origin(settings, configured),
            default_model=configured.default_model or provider_spec(configured.name).default_model,
        )
        for configured in config.entries
        if _is_callable(settings, configured)
    ]
    if config.discover_local:
        names = {entry.provider.name for entry in entries}
        entries += await _discover_entries(settings, http, known=names)
    offline = Offline(
        search,
        script_file=settings.offline.script,
        token_delay_s=settings.offline.token_delay_s,
    )
    origin = ProviderOrigin.OFFLINE
    entries.append(ProviderEntry(provider=offline, origin=origin, default_model=ASSISTANT))
    unconfigured = _setup_hints({entry.provider.name for entry in entries})
    catalog = Catalog(entries, default_model=config.default_model, unconfigured=unconfigured)
    return Gateway(catalog, RetryPolicy(deadline=config.total_timeout_s))


def _is_callable(settings: Settings, configured: ConfiguredProvider) -> bool:
    needs_token = configured.name == _BY_URL and settings.oauth.token_url is not None
    return configured.dialect in CONSTRUCTORS and not needs_token


def _origin(settings: Settings, configured: ConfiguredProvider) -> ProviderOrigin:
    if configured.name in (settings.providers.api_provider, _BY_URL):
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
        if spec.dialect not in CONSTRUCTORS:
            hints[name] = f"This server does not speak the dialect of {name}."
        elif spec.local:
            hints[name] = f"There is no {name} on this machine; set {spec.url_variables[0]}."
        else:
            hints[name] = f"{name} has no key here; set {spec.key_variables[0]}."
    return hints


async def _discover_entries(
    settings: Settings, http: HttpClient, known: set[str]
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
        ProviderEntry(
            provider=_create_provider(settings, http, configured), origin=ProviderOrigin.LOCAL
        )
        for configured in found
    ]


def _create_provider(
    settings: Settings, http: HttpClient, configured: ConfiguredProvider
) -> ModelProvider:
    config = settings.providers
    spec = provider_spec(configured.name, configured.base_url)
    options = ProviderOptions(
        base_url=configured.base_url,
        key=configured.api_key,
        models=configured.models,
        deadlines=Deadlines(
            connect=config.connect_timeout_s,
            headers=config.headers_timeout_s,
            idle=config.idle_timeout_s,
            thinking=config.thinking_idle_timeout_s,
            total=config.total_timeout_s,
        ),
        max_bytes=config.response_max_bytes,
        line_limit=config.sse_line_max_bytes,
    )
    return create_provider(replace(spec, dialect=configured.dialect), http, options)

"""The model providers: those of the settings with their credentials, and those discovered."""

from collections.abc import Iterable

import msgspec
from msgspec.structs import replace

from cartrita.adapters.http.client import HttpClient
from cartrita.adapters.http.transport import Deadlines
from cartrita.adapters.providers.discovery import UsualAddress, discover
from cartrita.adapters.providers.factory import (
    ProviderOptions,
    create_connection,
    create_provider,
)
from cartrita.adapters.providers.oauth import OAuthClient, TokenSource
from cartrita.adapters.providers.plain_calls import PlainCalls
from cartrita.adapters.providers.registry import PROVIDERS, provider_spec
from cartrita.application.credentials.provider_checks import CheckedProvider, ProviderChecks
from cartrita.application.credentials.service_keys import ServiceKeyValidator
from cartrita.application.credentials.validation import ProviderKeyValidator
from cartrita.domain.ports.providers import RelayProvider
from cartrita.domain.ports.services import Service
from cartrita.domain.provider_checks import ProviderSummary
from cartrita.gateway.catalog import ProviderEntry, ProviderOrigin
from cartrita.gateway.computer_forms import ComputerForms
from cartrita.settings import Settings
from cartrita.settings.providers import ConfiguredProvider

BY_URL = "oca"
"""The provider that LLM_API_URL configures: setting that variable selects it."""


_ANTHROPIC_BY_COMET = (
    "With API_PROVIDER=comet ANTHROPIC_API_KEY is CometAPI's: its models are comet/model, with "
    "that key or COMET_API_KEY. For Anthropic itself name another variable as api_key_env of "
    "[providers.anthropic] in cartrita.toml."
)


class OpenedProvider(msgspec.Struct, frozen=True):
    """A provider that can be called, how it is shown, and how it is tested.

    Without `calls` it has no API of OpenAI's beside those for chats.
    """

    entry: ProviderEntry
    checked: CheckedProvider
    calls: PlainCalls | None = None

    @property
    def summary(self) -> ProviderSummary:
        """How it is shown."""
        return self.checked.summary


async def open_providers(settings: Settings, http: HttpClient) -> list[OpenedProvider]:
    """The providers of the settings, then model servers on this machine that nobody configured."""
    config = settings.providers
    creation = _ProviderCreation(settings, http)
    opened = [
        creation.open(configured, _origin(settings, configured)) for configured in config.entries
    ]
    if config.discover_local:
        names = {one.summary.name for one in opened}
        opened += await _discover(settings, http, creation, known=names)
    return opened


def create_unpaid(settings: Settings, http: HttpClient, present: set[str]) -> list[OpenedProvider]:
    """Known providers that are not configured, at their usual addresses, for callers with keys."""
    creation = _ProviderCreation(settings, http)
    return [
        creation.open(
            ConfiguredProvider(name=name, dialect=spec.dialect, base_url=spec.base_url),
            ProviderOrigin.API_KEY,
            needs_key=True,
        )
        for name, spec in PROVIDERS.items()
        if name not in present and spec.base_url and not spec.local
    ]


def create_key_validator(
    settings: Settings, opened: Iterable[OpenedProvider]
) -> ProviderKeyValidator:
    """What asks these providers about keys."""
    checked = [one.checked for one in opened]
    names = {one.summary.name for one in checked}
    return ProviderKeyValidator(checked, unconfigured=setup_hints(settings, names))


def create_all_keys_validator(
    settings: Settings, opened: Iterable[OpenedProvider], services: Iterable[Service]
) -> ServiceKeyValidator:
    """What asks these providers and services about keys."""
    opened = [*opened]
    names = {one.summary.name for one in opened}
    others = {one.name: one for one in services if one.name not in names}
    return ServiceKeyValidator(others.values(), create_key_validator(settings, opened))


def create_provider_checks(settings: Settings, opened: Iterable[OpenedProvider]) -> ProviderChecks:
    """The connection tests of these providers."""
    checked = [one.checked for one in opened]
    names = {one.summary.name for one in checked}
    return ProviderChecks(checked, unconfigured=setup_hints(settings, names))


def setup_hints(settings: Settings, present: set[str]) -> dict[str, str]:
    """How to configure each known provider that is absent, for whoever asks for it."""
    hints: dict[str, str] = {}
    for name, spec in PROVIDERS.items():
        if name in present:
            continue
        if name == "anthropic" and settings.providers.api_provider == "comet":
            hints[name] = _ANTHROPIC_BY_COMET
            continue
        if spec.local:
            hints[name] = f"There is no {name} on this machine; set {spec.url_variables[0]}."
        elif not spec.base_url:
            hints[name] = f"{name} has no address here; set {spec.url_variables[0]}."
        else:
            hints[name] = f"{name} has no key here; set {spec.key_variables[0]}."
    return hints


class _ProviderCreation:
    """Creates providers; those with the same OAuth client and scope share their tokens."""

    def __init__(self, settings: Settings, http: HttpClient) -> None:
        self._settings = settings
        self._http = http
        self._sources: dict[tuple[str, str, str], TokenSource] = {}

    def open(
        self, configured: ConfiguredProvider, origin: ProviderOrigin, *, needs_key: bool = False
    ) -> OpenedProvider:
        """The provider as it is configured."""
        spec = provider_spec(configured.name)
        entry = ProviderEntry(
            provider=self._create(configured),
            origin=origin,
            default_model=configured.default_model or spec.default_model,
            any_model=spec.any_model and not configured.default_model,
            model_prefixes=spec.model_prefixes,
        )
        summary = ProviderSummary(
            name=configured.name,
            dialect=configured.dialect,
            base_url=configured.base_url.partition("?")[0],
            has_credential=bool(configured.api_key or _client(self._settings, configured)),
            default_model=entry.default_model,
        )
        unlisted = self._create(configured.model_copy(update={"models": ()}))
        usual = configured.base_url == spec.base_url
        checked = CheckedProvider(
            summary, unlisted, configured.models, private_list=spec.private_list and usual
        )
        calls = None
        if configured.dialect != "anthropic_messages":
            connection = create_connection(spec, self._http, self._options(configured))
            calls = PlainCalls(connection, has_key=summary.has_credential, needs_key=needs_key)
        return OpenedProvider(entry, checked, calls)

    def _create(self, configured: ConfiguredProvider) -> RelayProvider:
        spec = provider_spec(configured.name, configured.base_url)
        options = self._options(configured)
        spec = replace(spec, dialect=configured.dialect)
        return ComputerForms(create_provider(spec, self._http, options))

    def _options(self, configured: ConfiguredProvider) -> ProviderOptions:
        config = self._settings.providers
        return ProviderOptions(
            base_url=configured.base_url,
            key=configured.api_key,
            tokens=self._tokens(configured),
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

    def _tokens(self, configured: ConfiguredProvider) -> TokenSource | None:
        client = _client(self._settings, configured)
        if client is None:
            return None
        return self._sources.setdefault(client.key, TokenSource(client, self._http))


def _client(settings: Settings, configured: ConfiguredProvider) -> OAuthClient | None:
    if (own := configured.oauth) is not None:
        return OAuthClient(
            token_url=own.token_url,
            client_id=own.client_id,
            client_secret=own.client_secret,
            scope=own.scope,
            client_auth=own.client_auth,
        )
    oauth = settings.oauth
    if configured.name != BY_URL or not (
        oauth.token_url and oauth.client_id and oauth.client_secret
    ):
        return None
    return OAuthClient(
        token_url=oauth.token_url,
        client_id=oauth.client_id,
        client_secret=oauth.client_secret,
        scope=oauth.scope or "",
        client_auth=oauth.client_auth,
    )


def _origin(settings: Settings, configured: ConfiguredProvider) -> ProviderOrigin:
    if configured.name in (settings.providers.api_provider, BY_URL):
        return ProviderOrigin.SELECTED
    if configured.api_key or not provider_spec(configured.name).local:
        return ProviderOrigin.API_KEY
    return ProviderOrigin.LOCAL


async def _discover(
    settings: Settings, http: HttpClient, creation: _ProviderCreation, known: set[str]
) -> list[OpenedProvider]:
    config = settings.providers
    addresses = [UsualAddress(server.name, server.port) for server in config.discover_ports]
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
    return [creation.open(configured, ProviderOrigin.LOCAL) for configured in found]

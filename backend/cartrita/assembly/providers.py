"""The model providers of the settings, each with its credential."""

from msgspec.structs import replace

from cartrita.adapters.providers.factory import ProviderOptions, create_provider
from cartrita.adapters.providers.http import HttpClient
from cartrita.adapters.providers.oauth import OAuthClient, TokenSource
from cartrita.adapters.providers.registry import provider_spec
from cartrita.adapters.providers.transport import Deadlines
from cartrita.domain.ports.providers import RelayProvider
from cartrita.settings import Settings
from cartrita.settings.providers import ConfiguredProvider

BY_URL = "oca"
"""The provider that LLM_API_URL configures: setting that variable selects it."""


class ProviderCreation:
    """Creates providers; those with the same OAuth client and scope share their tokens."""

    def __init__(self, settings: Settings, http: HttpClient) -> None:
        self._settings = settings
        self._http = http
        self._sources: dict[tuple[str, str, str], TokenSource] = {}

    def create(self, configured: ConfiguredProvider) -> RelayProvider:
        """The provider as it is configured."""
        config = self._settings.providers
        spec = provider_spec(configured.name, configured.base_url)
        options = ProviderOptions(
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
        return create_provider(replace(spec, dialect=configured.dialect), self._http, options)

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

"""The models that can be asked: configured providers, servers on this machine, the offline one."""

from cartrita.adapters.providers import table
from cartrita.adapters.providers.discovery import Place, discover
from cartrita.adapters.providers.http import Deadlines, Http
from cartrita.adapters.providers.offline.provider import ASSISTANT, Offline
from cartrita.domain.ports import ModelProvider, PassageSearch
from cartrita.gateway.catalog import Catalog, Offer, Origin
from cartrita.gateway.gateway import Gateway
from cartrita.gateway.retry import Retrying, RetryPolicy
from cartrita.settings import Settings
from cartrita.settings.upstream import Provider

_DIALECT = "openai"
"""What can be spoken today; others are configured in vain until their dialect is here."""


async def gateway_of(settings: Settings, http: Http, search: PassageSearch) -> Gateway:
    """Everything that can answer, the preferred first."""
    given = settings.providers
    offers = [
        Offer(
            provider=_called(settings, http, entry),
            origin=Origin.CHOSEN if entry.name == given.api_provider else Origin.KEY,
            default_model=entry.default_model or table.entry(entry.name).default_model,
        )
        for entry in given.entries
        if entry.dialect == _DIALECT
    ]
    if given.discover_local:
        offers += await _found(settings, http, known={offer.provider.name for offer in offers})
    offline = Offline(
        search, script_file=settings.offline.script, pace=settings.offline.token_delay_s
    )
    offers.append(Offer(provider=offline, origin=Origin.OFFLINE, default_model=ASSISTANT))
    return Gateway(Catalog(offers, default_model=given.default_model))


async def _found(settings: Settings, http: Http, known: set[str]) -> list[Offer]:
    """Servers on this machine that nobody configured."""
    given = settings.providers
    places = [Place(server.name, server.port) for server in given.discover_ports]
    servers = await discover(
        http,
        [place for place in places if place.name not in known],
        own_port=settings.server.port,
        timeout=given.discover_timeout_s,
    )
    return [
        Offer(
            provider=_called(
                settings,
                http,
                Provider(name=server.name, dialect=_DIALECT, base_url=server.base_url),
            ),
            origin=Origin.LOCAL,
        )
        for server in servers
    ]


def _called(settings: Settings, http: Http, entry: Provider) -> ModelProvider:
    given = settings.providers
    provider = table.connect(
        table.entry(entry.name, entry.base_url),
        http,
        base_url=entry.base_url,
        key=entry.api_key,
        models=entry.models,
        deadlines=Deadlines(
            connect=given.connect_timeout_s,
            headers=given.headers_timeout_s,
            idle=given.idle_timeout_s,
            total=given.total_timeout_s,
        ),
        max_bytes=given.response_max_bytes,
        line_limit=given.sse_line_max_bytes,
    )
    return Retrying(provider, RetryPolicy(deadline=given.total_timeout_s))

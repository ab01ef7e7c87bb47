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
from cartrita.settings.vendors import VENDORS

_DIALECT = "openai"
"""What can be spoken today; others are configured in vain until their dialect is here."""
_BY_URL = "oca"
"""The provider that LLM_API_URL makes: who sets that has chosen."""


async def gateway_of(settings: Settings, http: Http, search: PassageSearch) -> Gateway:
    """Everything that can answer, the preferred first."""
    given = settings.providers
    offers = [
        Offer(
            provider=_called(settings, http, entry),
            origin=_origin(settings, entry),
            default_model=entry.default_model or table.entry(entry.name).default_model,
        )
        for entry in given.entries
        if _callable(settings, entry)
    ]
    if given.discover_local:
        offers += await _found(settings, http, known={offer.provider.name for offer in offers})
    here = settings.offline
    offline = Offline(search, script_file=here.script, pace=here.token_delay_s)
    offers.append(Offer(provider=offline, origin=Origin.OFFLINE, default_model=ASSISTANT))
    absent = _absent({offer.provider.name for offer in offers})
    return Gateway(Catalog(offers, default_model=given.default_model, absent=absent))


def _callable(settings: Settings, entry: Provider) -> bool:
    needs_token = entry.name == _BY_URL and settings.oauth.token_url is not None
    return entry.dialect == _DIALECT and not needs_token


def _origin(settings: Settings, entry: Provider) -> Origin:
    if entry.name in (settings.providers.api_provider, _BY_URL):
        return Origin.CHOSEN
    return Origin.KEY if entry.api_key or not table.entry(entry.name).local else Origin.LOCAL


def _absent(present: set[str]) -> dict[str, str]:
    """What to tell whoever asks for a provider that is known and not there."""
    told: dict[str, str] = {}
    for vendor in VENDORS:
        if vendor.name in present or vendor.dialect is None:
            continue
        if vendor.dialect != _DIALECT:
            told[vendor.name] = f"This server does not speak the dialect of {vendor.name}."
        elif vendor.port is not None:
            told[vendor.name] = f"There is no {vendor.name} on this machine; set {vendor.urls[0]}."
        else:
            told[vendor.name] = f"{vendor.name} has no key here; set {vendor.keys[0]}."
    return told


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
    entries = [
        Provider(name=server.name, dialect=_DIALECT, base_url=server.base_url) for server in servers
    ]
    return [
        Offer(provider=_called(settings, http, entry), origin=Origin.LOCAL) for entry in entries
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
            thinking=given.thinking_idle_timeout_s,
            total=given.total_timeout_s,
        ),
        max_bytes=given.response_max_bytes,
        line_limit=given.sse_line_max_bytes,
    )
    return Retrying(provider, RetryPolicy(deadline=given.total_timeout_s))

"""The searches of the web and of GitHub: their services, and the use cases over them."""

from typing import NamedTuple

from cartrita.adapters.http.client import HttpClient
from cartrita.adapters.search.brave import Brave
from cartrita.adapters.search.github import GitHub
from cartrita.adapters.search.searxng import NAME as SEARXNG
from cartrita.adapters.search.searxng import SearXNG
from cartrita.adapters.search.service import ServiceAddress
from cartrita.adapters.search.tavily import Tavily
from cartrita.application.search.github_search import GitHubSearches
from cartrita.application.search.web_search import WebSearches
from cartrita.domain.ports.services import Service
from cartrita.domain.ports.web import GitHubSearch, SearchEngine, WebSearch
from cartrita.gateway.service_calls import ServiceCalls
from cartrita.kit.secret import Secret
from cartrita.settings import Settings

_NONE = Secret("")
_NO_SEARXNG = "No SearXNG is configured here: set SEARXNG_BASE_URL to the address of an instance."


class SearchServices(NamedTuple):
    """What is searched: the engines in the order of preference, and GitHub."""

    engines: tuple[SearchEngine, ...]
    github: GitHub
    keyed: tuple[Service, ...]
    """Those of them whose keys callers may bring."""


class Searches(NamedTuple):
    """The use cases that search."""

    web: WebSearch
    github: GitHubSearch


def create_search_services(settings: Settings, http: HttpClient) -> SearchServices:
    """The services at the addresses of the settings."""

    def at(base_url: str, key: Secret | None) -> ServiceAddress:
        timeout = settings.search.timeout_s
        return ServiceAddress(base_url=base_url, transport=http, key=key or _NONE, timeout=timeout)

    tavily = Tavily(
        at(settings.tavily.base_url, settings.tavily.api_key), keyless=settings.tavily.keyless
    )
    brave = Brave(at(settings.brave.base_url, settings.brave.api_key))
    github = GitHub(at(settings.github.base_url, settings.github.api_key))
    engines: tuple[SearchEngine, ...] = (tavily, brave)
    if settings.searxng.base_url is not None:
        engines = (*engines, SearXNG(at(settings.searxng.base_url, None)))
    return SearchServices(engines, github, (tavily, brave, github))


def create_searches(settings: Settings, services: SearchServices, calls: ServiceCalls) -> Searches:
    """Searches by these calls."""
    keep = settings.search.keep_s
    return Searches(
        WebSearches(
            services.engines,
            calls,
            usual=settings.search.provider,
            unconfigured={} if settings.searxng.base_url else {SEARXNG: _NO_SEARXNG},
            keep=keep,
        ),
        GitHubSearches(services.github, calls, keep=keep),
    )
